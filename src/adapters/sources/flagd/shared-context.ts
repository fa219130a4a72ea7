import type { EvaluationContext as FlagdContext } from "@openfeature/core";
import type { FeatureFlag } from "@openfeature/flagd-core";

const logger = Symbol.for("flagd.logger");
const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** The private part of a flag of flagd's library that evaluates its targeting. */
type Targeting = { readonly _engine: { run(logic: unknown, context: unknown): unknown }; readonly _logic: unknown };

/** A context that all flags of one evaluation share. */
export type SharedContext = FlagdContext & { readonly $flagd: { flagKey: string; readonly timestamp: number } };

/** Adds what flagd's library adds to its copy of a context for each flag. */
export const sharedContext = (context: FlagdContext, second: number): SharedContext =>
  ({ ...context, $flagd: { flagKey: "", timestamp: second }, [logger]: silent }) as unknown as SharedContext;

/**
 * What a flag's targeting returns, without the library's two copies of the context for each flag: that halves the time
 * of 1,000 flags. `undefined` if the flag has no targeting, or if it fails; the library then tells the reason.
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
