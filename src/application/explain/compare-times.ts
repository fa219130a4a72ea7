import { changedKey, type SetRecord } from "../../domain/admin/change.ts";
import { type MissingHistory, SourceUnavailable } from "../../domain/errors.ts";
import type { EvaluationContext, Instant } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, inOrder } from "../../domain/evaluation/feature.ts";
import type { Event } from "../../domain/events/event.ts";
import type { History } from "../../domain/events/history.ts";
import { explain, knownFeatures } from "../../domain/explain/explanation.ts";
import type { Caller, RequestContext } from "../evaluation/identify-caller.ts";
import { type ChangeEntry, changeEntryOf } from "../events/change-entry.ts";
import { queryLog } from "../events/query-log.ts";
import {
  type EachSource,
  type EvaluateEachSource,
  missingHistoryOf,
  outcomesOf,
  type SetRead,
  type SourceAttempt,
  setsOf,
} from "./evaluate-each-source.ts";
import type { FeedChanges } from "./feed-changes.ts";

/**
 * A change of a set or of the items of a feed, with the differing features that it added or removed; or a change of the
 * rule of one of them.
 */
export type ComparedChange = SetRead &
  ChangeEntry & {
    readonly added: readonly FeatureKey[];
    readonly removed: readonly FeatureKey[];
    /** The feature whose rule it changed; `key` is `collection/feature` then. */
    readonly changed: readonly FeatureKey[];
  };

/** The difference between two times for a caller. Features are sorted by code point. */
export type Difference = {
  readonly turnedOn: readonly FeatureKey[];
  readonly turnedOff: readonly FeatureKey[];
  /** Features that are undetermined at one of the times. */
  readonly undetermined: readonly FeatureKey[];
  /** The sources without history at one of the times. They may have switched on other features too. */
  readonly missingHistory: readonly MissingHistory[];
  /** The changes behind the difference, oldest first. */
  readonly changes: readonly ComparedChange[];
};

/**
 * Compares the features of a caller at two times, and finds the changes behind the difference. Rejects as
 * `evaluateEachSource` does, and with `SourceUnavailable` if a source fails.
 */
export function compareTimes(evaluate: EvaluateEachSource, history: History, feedChanges: FeedChanges) {
  async function changes(
    before: EachSource,
    from: Instant,
    to: Instant,
    differing: ReadonlySet<FeatureKey>,
  ): Promise<readonly ComparedChange[]> {
    if (differing.size === 0) return [];
    const sets = (await Promise.all(before.attempts.map((attempt) => setsBefore(attempt, before.context)))).flat();
    const changes = await Promise.all(
      [...Map.groupBy(sets, ({ store }) => store)].map(async ([store, read]) => {
        const contents = new Map(read.map((set) => [set.key, set.contents]));
        const events = await queryLog(() => history.changesOf(store, [...contents.keys()], from, to));
        return events.map((event) => ({ event, change: comparedChange(event, store, contents) }));
      }),
    );
    const features = [...differing];
    return [
      ...changes,
      ...(await ruleChanges(before, from, to, features)),
      ...(await changesOfFeeds(before, from, to, features)),
    ]
      .flat()
      .toSorted((a, b) => a.event.at - b.event.at || a.event.position - b.event.position)
      .flatMap(({ change }) => (change ? among(change, differing) : []));
  }

  function ruleChanges({ attempts }: EachSource, from: Instant, to: Instant, features: readonly FeatureKey[]) {
    const all = attempts.flatMap(({ source }) => source.editableRules ?? []);
    const collections = new Map(all.map((each) => [`${each.connection}/${each.collection}`, each]));
    return Promise.all(
      [...collections.values()].map(async ({ connection: store, collection }) => {
        const query = () => history.documentChangesOf(store, collection, features, from, to);
        return (await queryLog(query)).map((event) => ({ event, change: comparedRuleChange(event, store) }));
      }),
    );
  }

  /** The changes by feeds. Without a past time, only items that start or end make a difference. */
  async function changesOfFeeds(
    { attempts, isPast }: EachSource,
    from: Instant,
    to: Instant,
    features: readonly FeatureKey[],
  ) {
    const known = attempts.filter((attempt) => isPast && "result" in attempt);
    const found = await Promise.all(known.map(({ source }) => feedChanges(source.name, from, to, features)));
    return found.flat().map(({ event, change }) => ({ event, change: { ...change, changed: [] } }));
  }

  /** The sets that a source read, with their content as far as it is known. */
  async function setsBefore(
    attempt: SourceAttempt,
    context: EvaluationContext,
  ): Promise<readonly (SetRead & { readonly contents: readonly FeatureKey[] | undefined })[]> {
    const sets = setsOf(attempt.source, context);
    if (sets.length === 1) {
      const contents = "result" in attempt ? [...attempt.result.features.keys()] : undefined;
      return sets.map((set) => ({ ...set, contents }));
    }
    return Promise.all(
      sets.map(async (set) => {
        const past = await queryLog(() => history.setAt(set.store, set.key, context.at));
        return { ...set, contents: past?.features };
      }),
    );
  }

  return async (caller: Caller, requestContext: RequestContext, from: Instant, to: Instant): Promise<Difference> => {
    const [before, after] = await Promise.all([
      evaluate(caller, requestContext, from),
      evaluate(caller, requestContext, to),
    ]);
    const [outcomesBefore, outcomesAfter] = [requiredOutcomes(before), requiredOutcomes(after)];
    const features = inOrder(new Set([...knownFeatures(outcomesBefore), ...knownFeatures(outcomesAfter)]));
    const states = features.map((feature) => ({
      feature,
      wasOn: explain(feature, outcomesBefore).on,
      isOn: explain(feature, outcomesAfter).on,
    }));
    const keysWhere = (isWanted: (state: (typeof states)[number]) => boolean) =>
      states.filter(isWanted).map((each) => each.feature);
    const turnedOn = keysWhere(({ wasOn, isOn }) => wasOn === false && isOn === true);
    const turnedOff = keysWhere(({ wasOn, isOn }) => wasOn === true && isOn === false);
    const undetermined = keysWhere(({ wasOn, isOn }) => wasOn === undefined || isOn === undefined);
    return {
      turnedOn,
      turnedOff,
      undetermined,
      missingHistory: onePerName([...missingHistoryOf(before.attempts), ...missingHistoryOf(after.attempts)]),
      changes: await changes(before, from, to, new Set([...turnedOn, ...turnedOff, ...undetermined])),
    };
  };
}

export type CompareTimes = ReturnType<typeof compareTimes>;

function requiredOutcomes({ attempts }: EachSource): ReturnType<typeof outcomesOf> {
  const outcomes = outcomesOf(attempts);
  for (const [index, attempt] of attempts.entries()) {
    if ("failure" in attempt && outcomes[index]?.features !== "no-history") {
      throw new SourceUnavailable(attempt.source.name, attempt.failure);
    }
  }
  return outcomes;
}

/**
 * The effect of an event on its set. If the event holds only the content after it, compares that with the content in
 * `contents`, if known. Updates `contents`.
 */
function comparedChange(
  event: Event,
  store: string,
  contents: Map<string, readonly FeatureKey[] | undefined>,
): ComparedChange | undefined {
  const record = event.change?.record;
  if (record?.of !== "set") return undefined;
  const { origin, key, members } = record;
  const before = contents.get(key);
  const listsChanges = origin === "change" || record.added.length + record.removed.length > 0;
  const after = members ?? (before && listsChanges ? moved(before, record) : undefined);
  contents.set(key, after);
  const isCompared = !listsChanges && before !== undefined && after !== undefined;
  const added = isCompared ? missingFrom(after, before) : record.added;
  const removed = isCompared ? missingFrom(before, after) : record.removed;
  return { store, key, ...changeEntryOf(record), added, removed, changed: [] };
}

function comparedRuleChange(event: Event, store: string): ComparedChange | undefined {
  const record = event.change?.record;
  if (record?.of !== "document") return undefined;
  return { store, key: changedKey(record), ...changeEntryOf(record), added: [], removed: [], changed: [record.name] };
}

const moved = (before: readonly FeatureKey[], { added, removed }: SetRecord): readonly FeatureKey[] => [
  ...missingFrom(before, [...added, ...removed]),
  ...added,
];

/** The features of the first list that are not in the second. */
function missingFrom(some: readonly FeatureKey[], others: readonly FeatureKey[]): readonly FeatureKey[] {
  const present = new Set(others);
  return some.filter((feature) => !present.has(feature));
}

function among(change: ComparedChange, features: ReadonlySet<FeatureKey>): readonly ComparedChange[] {
  const added = change.added.filter((feature) => features.has(feature));
  const removed = change.removed.filter((feature) => features.has(feature));
  return added.length + removed.length + change.changed.length > 0 ? [{ ...change, added, removed }] : [];
}

const onePerName = (parts: readonly MissingHistory[]): readonly MissingHistory[] =>
  parts.filter(({ name }, index) => parts.findIndex((other) => other.name === name) === index);
