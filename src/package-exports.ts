/** The types of the npm package, for files with a kind of source (docs/adding-a-source.md). */
export {
  defineSource,
  type SchemaTools,
  type SourceDefinition,
  type SourceHost,
  type SourceStore,
} from "./adapters/sources/_catalogue/source.ts";
export type { EvaluationContext } from "./domain/evaluation/evaluation-context.ts";
export type { Resolution } from "./domain/evaluation/feature.ts";
export type { FeatureResolver, SourceResult } from "./domain/evaluation/feature-resolver.ts";
