import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, inOrder, isSameJson } from "../../domain/evaluation/feature.ts";
import { type Explanation, hasNoResult, isOnWith } from "../../domain/explain/explanation.ts";
import type { ChangeEntry } from "../events/change-entry.ts";
import type { ExplainFeatures } from "./explain-features.ts";
import type {
  ExplainedContext,
  ExplainedFeature,
  ExplainedSource,
  Question,
  SummarizedFeature,
  Summary,
} from "./explained.ts";
import type { FeedChanges } from "./feed-changes.ts";

/** How a feature differs. `undetermined`: its state is not known in one of the contexts. */
export type DifferenceKind = "turned-on" | "turned-off" | "value-changed" | "undetermined";

/** A change behind a difference, with the source that it concerns, and the set if it is one. */
export type DecidingChange = ChangeEntry & { readonly source: string; readonly set?: string };

/** A feature that differs between two contexts. */
export type DifferingFeature = {
  readonly feature: FeatureKey;
  readonly kind: DifferenceKind;
  readonly a: SummarizedFeature;
  readonly b: SummarizedFeature;
  /** The changes of the results that differ, oldest first. Empty if time or rules alone make the difference. */
  readonly changes: readonly DecidingChange[];
  /** The event of the change with which the feature became as in `b`; omitted if no change did that. */
  readonly deciding?: string;
};

/** The comparison of two contexts: each is a caller, its request context, and a time. */
export type Comparison = {
  readonly a: ExplainedContext;
  readonly b: ExplainedContext;
  /** Sorted by key, at most as many as requested. */
  readonly features: readonly DifferingFeature[];
  /** The number of features that differ, and of those that are the same. */
  readonly differing: number;
  readonly same: number;
  readonly isLogAvailable: boolean;
};

/**
 * Compares the features of two contexts, and finds the changes behind the differences, of at most `limit` features.
 * Rejects as `ExplainFeatures` and `FeedChanges` do.
 */
export const compareContexts =
  (explain: ExplainFeatures, feedChanges: FeedChanges) =>
  async (a: Question, b: Question, limit: number): Promise<Comparison> => {
    const [before, after] = await Promise.all([explain.summarize(a), explain.summarize(b)]);
    const all = inOrder(new Set([...before.states.keys(), ...after.states.keys()]));
    const found = all.flatMap((feature) => {
      const kind = differenceOf(feature, before, after);
      return kind ? [{ feature, kind, a: before.summarize(feature), b: after.summarize(feature) }] : [];
    });
    const shown = found.slice(0, limit);
    const features = shown.map(({ feature }) => feature);
    const none = { features: [], isLogAvailable: true };
    const [first, second] =
      features.length === 0
        ? [none, none]
        : await Promise.all([explain.explain({ ...a, features }), explain.explain({ ...b, features })]);
    const ofFeeds = await changesOfFeeds(feedChanges, [before, after], [first.features, second.features]);
    const hasRuleChanges = second.features.some(({ results }, at) =>
      results.some(({ rule, lastChange }, index) => {
        const before = first.features[at]?.results[index]?.lastChange;
        return rule !== undefined && lastChange?.event !== before?.event;
      }),
    );
    const withoutChanges = hasRuleChanges ? await explain.resultsWithStores(b, before.context.at) : () => [];
    return {
      a: before,
      b: after,
      features: shown.map((each, index) => {
        const [one, other] = [first.features[index], second.features[index]];
        if (!one || !other) return { ...each, changes: [] };
        const changes = changesBetween(each.kind, one, other, withoutChanges(each.feature), ofFeeds);
        const deciding = decidingChange(each.kind, before.sources, one, other, changes);
        return { ...each, changes, ...(deciding && { deciding: deciding.event }) };
      }),
      differing: found.length,
      same: all.length - found.length,
      isLogAvailable: first.isLogAvailable && second.isLogAvailable,
    };
  };

export type CompareContexts = ReturnType<typeof compareContexts>;

function differenceOf(feature: FeatureKey, a: Summary, b: Summary): DifferenceKind | undefined {
  const [was, is] = [a, b].map(({ states, summarize }) =>
    // Without history, a feature that no source lists is not off.
    states.has(feature) ? states.get(feature) : summarize(feature).on,
  );
  if (was !== is) return was === undefined || is === undefined ? "undetermined" : is ? "turned-on" : "turned-off";
  if (!is) return undefined;
  const [one, other] = [a.summarize(feature).resolution, b.summarize(feature).resolution];
  const isSame = one?.variant === other?.variant && isSameJson(one?.value ?? null, other?.value ?? null);
  return isSame ? undefined : "value-changed";
}

/** The changes of features by feeds, by source. */
type ChangesOfFeeds = ReadonlyMap<string, ReadonlyMap<FeatureKey, ChangeEntry>>;

/**
 * The records of feeds that made the results of the earlier context those of the later one. Without a past one, only
 * items that start or end make a difference.
 */
async function changesOfFeeds(
  feedChanges: FeedChanges,
  [a, b]: readonly [ExplainedContext, ExplainedContext],
  explained: readonly [readonly ExplainedFeature[], readonly ExplainedFeature[]],
): Promise<ChangesOfFeeds> {
  if (!a.isPast && !b.isPast) return new Map();
  const [from, to] = [a.context.at, b.context.at].toSorted((one, other) => one - other) as [Instant, Instant];
  const [earlier, later] = a.context.at === from ? explained : [explained[1], explained[0]];
  const found = a.sources.map(async ({ name }, index) => {
    const differing = later.flatMap(({ feature, results: { [index]: is } }, at) => {
      const was = earlier[at]?.results[index];
      if (!was || !is || hasNoResult(was) || hasNoResult(is) || was.result === is.result) return [];
      return [{ feature, isOn: is.result === "on" }];
    });
    const keys = differing.map(({ feature }) => feature);
    const changes = await feedChanges(name, from, to, keys);
    const entries = differing.flatMap(({ feature, isOn }) => {
      const last = changes.findLast(({ change }) => [...change.added, ...change.removed].includes(feature));
      // Otherwise an item started or ended since.
      return last?.change.added.includes(feature) === isOn ? [[feature, last.change] as const] : [];
    });
    return [name, new Map(entries)] as const;
  });
  return new Map(await Promise.all(found));
}

/**
 * The last changes of results that differ. Of a set or rule that both contexts read, only the later one. A result that
 * is not known in one of the contexts may be the same in both, so its change is not named. `withoutChanges` are the
 * results in `b` with the rules of `a`: a change of a rule makes no difference if they are the same.
 */
function changesBetween(
  kind: DifferenceKind,
  a: ExplainedFeature,
  b: ExplainedFeature,
  withoutChanges: Explanation["results"],
  ofFeeds: ChangesOfFeeds,
): readonly DecidingChange[] {
  const changes = new Map<string, DecidingChange>();
  for (const [index, one] of a.results.entries()) {
    const other = b.results[index];
    if (!other || hasNoResult(one) || hasNoResult(other)) continue;
    const { source } = one;
    const ofFeed = ofFeeds.get(source)?.get(a.feature);
    if (ofFeed) changes.set(ofFeed.event, { ...ofFeed, source });
    // After the same change, the time, the location or the attributes make the difference.
    if (one.lastChange?.event === other.lastChange?.event) continue;
    // The same holds after changes that left the rule as it was.
    if (one.rule !== undefined && isSameJson(one.rule, other.rule ?? null)) continue;
    const hasEffect = kind === "value-changed" || withoutChanges[index]?.result !== other.result;
    if (other.rule !== undefined && !hasEffect) continue;
    // A source with the same result makes no difference, unless its rule has another value.
    if (one.result === other.result && kind !== "value-changed") continue;
    const both = [one, other].flatMap(({ source, set, lastChange }) =>
      lastChange ? [{ ...lastChange, source, ...(set !== undefined && { set }) }] : [],
    );
    const [first, second] = both.toSorted((early, late) => early.at - late.at);
    const later = second && first?.set === second.set ? [second] : both;
    for (const change of later) changes.set(change.event, change);
  }
  return [...changes.values()].toSorted((early, late) => early.at - late.at);
}

/** The change with which the feature got its state in `b`: the changes are applied to the results of `a` in turn. */
function decidingChange(
  kind: DifferenceKind,
  sources: readonly ExplainedSource[],
  a: ExplainedFeature,
  b: ExplainedFeature,
  changes: readonly DecidingChange[],
): DecidingChange | undefined {
  if (kind === "value-changed") return changes.findLast(({ source }) => b.decidedBy.includes(source));
  const lastOfSources = changes.filter((each) => each === changes.findLast(({ source }) => source === each.source));
  const pending = new Set(changes.map(({ source }) => source));
  const isOn = () =>
    isOnWith(
      sources.flatMap((source, index) => {
        const from = (pending.has(source.name) ? a : b).results[index];
        return from ? [{ source, result: from.result }] : [];
      }),
    );
  let deciding: DecidingChange | undefined;
  for (const change of lastOfSources) {
    const was = isOn();
    pending.delete(change.source);
    if (isOn() !== was) deciding = change;
  }
  return deciding;
}
