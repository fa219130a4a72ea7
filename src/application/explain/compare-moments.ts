import { externalActor, type SetRecord } from "../../domain/admin/change.ts";
import { type MissingHistory, SourceUnavailable } from "../../domain/errors.ts";
import type { EvaluationContext, Instant } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, inOrder } from "../../domain/evaluation/feature.ts";
import type { Event } from "../../domain/events/event.ts";
import type { History } from "../../domain/events/history.ts";
import { explain, knownFeatures } from "../../domain/explain/explanation.ts";
import type { Caller, RequestContext } from "../evaluation/identify-caller.ts";
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

/** A change of a set, with the differing features that it added or removed; or a change of the rule of one of them. */
export type ComparedChange = SetRead & {
  readonly event: string;
  readonly by: string;
  readonly at: Instant;
  readonly note?: string;
  readonly origin: SetRecord["origin"];
  readonly added: readonly FeatureKey[];
  readonly removed: readonly FeatureKey[];
  /** The feature whose rule it changed; `key` is `collection/feature` then. */
  readonly changed: readonly FeatureKey[];
};

/** The difference of two moments for a caller. Features are sorted by code point. */
export type Difference = {
  readonly turnedOn: readonly FeatureKey[];
  readonly turnedOff: readonly FeatureKey[];
  /** Features that are undetermined at one of the moments. */
  readonly undetermined: readonly FeatureKey[];
  /** The sources without history at one of the moments. They may have switched on other features too. */
  readonly missingHistory: readonly MissingHistory[];
  /** The changes behind the difference, oldest first. */
  readonly changes: readonly ComparedChange[];
};

/** Compares the features of a caller at two moments, and finds the changes behind the difference. */
export class CompareMoments {
  readonly #sources: EvaluateEachSource;
  readonly #history: History;

  constructor(sources: EvaluateEachSource, history: History) {
    this.#sources = sources;
    this.#history = history;
  }

  /** Rejects as `EvaluateEachSource` does, and with `SourceUnavailable` if a source fails. */
  async compare(caller: Caller, requestContext: RequestContext, from: Instant, to: Instant): Promise<Difference> {
    const [before, after] = await Promise.all([
      this.#sources.evaluate(caller, requestContext, from),
      this.#sources.evaluate(caller, requestContext, to),
    ]);
    const [heardBefore, heardAfter] = [requiredOutcomes(before), requiredOutcomes(after)];
    const features = inOrder(new Set([...knownFeatures(heardBefore), ...knownFeatures(heardAfter)]));
    const moves = features.map((feature) => ({
      feature,
      was: explain(feature, heardBefore).on,
      is: explain(feature, heardAfter).on,
    }));
    const those = (wanted: (move: (typeof moves)[number]) => boolean) =>
      moves.filter(wanted).map((each) => each.feature);
    const turnedOn = those(({ was, is }) => was === false && is === true);
    const turnedOff = those(({ was, is }) => was === true && is === false);
    const open = those(({ was, is }) => was === undefined || is === undefined);
    return {
      turnedOn,
      turnedOff,
      undetermined: open,
      missingHistory: onePerName([...missingHistoryOf(before.attempts), ...missingHistoryOf(after.attempts)]),
      changes: await this.#doings(before, from, to, new Set([...turnedOn, ...turnedOff, ...open])),
    };
  }

  async #doings(
    before: EachSource,
    from: Instant,
    to: Instant,
    differing: ReadonlySet<FeatureKey>,
  ): Promise<readonly ComparedChange[]> {
    if (differing.size === 0) return [];
    const sets = (await Promise.all(before.attempts.map((word) => this.#setsBefore(word, before.context)))).flat();
    const changes = await Promise.all(
      [...Map.groupBy(sets, ({ store }) => store)].map(async ([store, those]) => {
        const held = new Map(those.map((set) => [set.key, set.held]));
        const events = await queryLog(() => this.#history.changesOf(store, [...held.keys()], from, to));
        return events.map((event) => ({ event, doing: comparedChange(event, store, held) }));
      }),
    );
    return [...changes, ...(await this.#ruleChanges(before, from, to, [...differing]))]
      .flat()
      .toSorted((a, b) => a.event.at - b.event.at || a.event.position - b.event.position)
      .flatMap(({ doing }) => (doing ? among(doing, differing) : []));
  }

  #ruleChanges({ attempts }: EachSource, from: Instant, to: Instant, features: readonly FeatureKey[]) {
    const all = attempts.flatMap(({ source }) => source.editableRules ?? []);
    const kept = new Map(all.map((each) => [`${each.connection}/${each.collection}`, each]));
    return Promise.all(
      [...kept.values()].map(async ({ connection: store, collection }) => {
        const ask = () => this.#history.documentChangesOf(store, collection, features, from, to);
        return (await queryLog(ask)).map((event) => ({ event, doing: comparedRuleChange(event, store) }));
      }),
    );
  }

  /** The sets that a source read, with their content as far as it is known. */
  async #setsBefore(
    word: SourceAttempt,
    context: EvaluationContext,
  ): Promise<readonly (SetRead & { readonly held: readonly FeatureKey[] | undefined })[]> {
    const sets = setsOf(word.source, context);
    if (sets.length === 1) {
      const held = "evaluation" in word ? [...word.evaluation.features.keys()] : undefined;
      return sets.map((set) => ({ ...set, held }));
    }
    return Promise.all(
      sets.map(async (set) => {
        const past = await queryLog(() => this.#history.setAt(set.store, set.key, context.at));
        return { ...set, held: past?.features };
      }),
    );
  }
}

function requiredOutcomes({ attempts }: EachSource): ReturnType<typeof outcomesOf> {
  const outcomes = outcomesOf(attempts);
  for (const [index, word] of attempts.entries()) {
    if ("failure" in word && outcomes[index]?.result !== "no-history") {
      throw new SourceUnavailable(word.source.name, word.failure);
    }
  }
  return outcomes;
}

/**
 * The effect of an event on its set. If the event holds only the content after it, compares that with the content in
 * `held`, if known. Updates `held`.
 */
function comparedChange(
  event: Event,
  store: string,
  held: Map<string, readonly FeatureKey[] | undefined>,
): ComparedChange | undefined {
  const record = event.change?.record;
  if (record?.of !== "set") return undefined;
  const { id, by, at, note, origin, key, members } = record;
  const before = held.get(key);
  const tellsMoves = origin === "change" || record.added.length + record.removed.length > 0;
  const after = members ?? (before && tellsMoves ? moved(before, record) : undefined);
  held.set(key, after);
  const isCompared = !tellsMoves && before !== undefined && after !== undefined;
  const added = isCompared ? lacking(after, before) : record.added;
  const removed = isCompared ? lacking(before, after) : record.removed;
  return {
    store,
    key,
    event: id,
    by,
    at,
    origin,
    added,
    removed,
    changed: [],
    ...(note === undefined ? {} : { note }),
  };
}

function comparedRuleChange(event: Event, store: string): ComparedChange | undefined {
  const record = event.change?.record;
  if (record?.of !== "document") return undefined;
  const { id, by, at, note, collection, name } = record;
  const origin = by === externalActor ? "external" : "change";
  const doing = { store, key: `${collection}/${name}`, event: id, by, at, origin, added: [], removed: [] } as const;
  return { ...doing, changed: [name], ...(note === undefined ? {} : { note }) };
}

const moved = (before: readonly FeatureKey[], { added, removed }: SetRecord): readonly FeatureKey[] => [
  ...lacking(before, [...added, ...removed]),
  ...added,
];

/** The features of the first list that are not in the second. */
function lacking(some: readonly FeatureKey[], others: readonly FeatureKey[]): readonly FeatureKey[] {
  const there = new Set(others);
  return some.filter((feature) => !there.has(feature));
}

function among(doing: ComparedChange, features: ReadonlySet<FeatureKey>): readonly ComparedChange[] {
  const added = doing.added.filter((feature) => features.has(feature));
  const removed = doing.removed.filter((feature) => features.has(feature));
  return added.length + removed.length + doing.changed.length > 0 ? [{ ...doing, added, removed }] : [];
}

const onePerName = (parts: readonly MissingHistory[]): readonly MissingHistory[] =>
  parts.filter(({ name }, index) => parts.findIndex((other) => other.name === name) === index);
