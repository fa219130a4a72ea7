import { ChangeRejected } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey, Json } from "../../domain/evaluation/feature.ts";
import type { FeatureResolver } from "../../domain/evaluation/feature-resolver.ts";
import type { EditableSources } from "../admin/editable-sources.ts";
import type { ManageRules } from "../admin/manage-rules.ts";

/** Maximum number of windows that are returned. */
export const maxWindows = 200;
/** Maximum number of evaluations. A result can end without a change, so it exceeds the number of boundaries. */
const maxEvaluations = 1_000;

const dayMs = 86_400_000;
/** Length of a span by default, and at most, in days. */
export const defaultDays = 7;
export const maxDays = 31;

/** A span `[from, to)`. */
export type Span = { readonly from: Instant; readonly to: Instant };

type GivenSpan = { readonly from?: Instant | undefined; readonly to?: Instant | undefined };

/** When a rule has its feature on in a span. */
export type FoundWindows = Span & {
  /** The windows within the span, in order; none touches the next. */
  readonly on: readonly Span[];
  /** The first change at `to` or later; `undefined` if none is foreseeable. */
  readonly nextChange: Instant | undefined;
};

/** Finds the times at which a rule has its feature on, for rules whose results depend on the time alone. Reads only. */
export class FindWindows {
  readonly #sources: EditableSources;
  readonly #rules: ManageRules;
  readonly #now: () => Instant;

  constructor(sources: EditableSources, rules: ManageRules, now: () => Instant) {
    this.#sources = sources;
    this.#rules = rules;
    this.#now = now;
  }

  /** The span of a request. `from` is now by default. Throws `ChangeRejected` for an invalid one. */
  spanOf({ from = this.#now(), to = from + defaultDays * dayMs }: GivenSpan): Span {
    if (from < to && to - from <= maxDays * dayMs) return { from, to };
    const detail = `is invalid (expected a time after from, at most ${maxDays} days later)`;
    throw new ChangeRejected(`/to ${detail}.`, "validation-failed", [{ pointer: "/to", detail }]);
  }

  /**
   * The windows of the stored rule of a feature, or of a valid rule in its place. `to` of the result is earlier than
   * requested if there are more than `maxWindows`. An invalid stored rule has none. Rejects as `ManageRules` does, and
   * with `ChangeRejected` if the rule does not depend on the time alone.
   */
  async find(source: string, feature: FeatureKey, span: Span, rule?: Json): Promise<FoundWindows> {
    const { trial } = this.#sources.rulesOf(source);
    const resolver = await trial(feature, rule ?? (await this.#rules.get(source, feature)).rule);
    try {
      if (resolver.varyBy?.length === 0) return await windowsIn(resolver, feature, span);
    } finally {
      await resolver.dispose?.();
    }
    throw new ChangeRejected(
      `The rules of source "${source}" do not depend on the time alone, so they have no windows. Name a schedule.`,
    );
  }
}

/** Follows the results of a resolver from one `validUntil` to the next. */
async function windowsIn(resolver: FeatureResolver, feature: FeatureKey, { from, to }: Span): Promise<FoundWindows> {
  const on: Span[] = [];
  let [at, wasOn] = [from, false];
  for (let count = 0; count < maxEvaluations; count++) {
    const { features, validUntil = Number.POSITIVE_INFINITY } = await resolver.resolve({ at });
    const isOn = features.get(feature)?.on === true;
    const isFull = isOn && !wasOn && on.length === maxWindows;
    if (isFull || (at >= to && isOn !== wasOn)) return { from, to: Math.min(at, to), on, nextChange: at };
    if (isOn && at < to) on.push({ from: (wasOn && on.pop()?.from) || at, to: Math.min(validUntil, to) });
    if (validUntil === Number.POSITIVE_INFINITY) return { from, to, on, nextChange: undefined };
    [at, wasOn] = [validUntil, isOn];
    // Other requests run meanwhile.
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
  return { from, to: Math.min(at, to), on, nextChange: undefined };
}
