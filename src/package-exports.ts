/** The types of the npm package, for files with a kind of source (docs/tutorials/first-source.md). */
export {
  defineSource,
  type Polling,
  type SchemaTools,
  type SourceDefinition,
  type SourceHost,
} from "./adapters/sources/_catalogue/source.ts";
export type { CachedRead } from "./domain/evaluation/cached-read.ts";
export type { EvaluationContext } from "./domain/evaluation/evaluation-context.ts";
export type { FeatureResolver } from "./domain/evaluation/feature-resolver.ts";
export type { Resolution, SourceResult } from "./domain/evaluation/source-result.ts";
