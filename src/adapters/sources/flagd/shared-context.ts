import type { EvaluationContext as FlagdContext } from "@openfeature/core";
import type { FeatureFlag } from "@openfeature/flagd-core";
import { silent } from "./silent-log.ts";

const logger = Symbol.for("flagd.logger");

/** The private part of a flag of flagd's library that evaluates its targeting. */
type Targeting = { readonly _engine: { run(logic: unknown, context: unknown): unknown }; readonly _logic: unknown };

/** A context that all flags of one evaluation share. */
export type SharedContext = FlagdContext & { readonly $flagd: { flagKey: string; readonly timestamp: number } };

/** Adds the fields that flagd's library adds to its copy of a context for each flag. */
export const sharedContext = (context: FlagdContext, second: number): SharedContext =>
  ({ ...context, $flagd: { flagKey: "", timestamp: second }, [logger]: silent }) as unknown as SharedContext;

/**
 * Evaluates the targeting of a flag without the library's two copies of the context for each flag, which halves the
 * time of 1,000 flags. `undefined` if the flag has no targeting, or if it fails; the library then returns the reason.
 */
export function targetingResult(flag: FeatureFlag, context: SharedContext): { readonly value: unknown } | undefined {
  const { _targeting: targeting } = flag as unknown as { readonly _targeting?: Partial<Targeting> };
  const { _engine: engine, _logic: logic } = targeting ?? {};
  if (!engine) return undefined;
  context.$flagd.flagKey = flag.key;
  try {
    return { value: engine.run(logic, context) };
  } catch {
    return undefined;
  }
}
