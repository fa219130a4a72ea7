import { externalActor, type SetRecord } from "../../domain/admin/change.ts";
import { type MissingHistory, SourceUnavailable } from "../../domain/errors.ts";
import type { EvaluationContext, Instant } from "../../domain/evaluation/evaluation-context.ts";
import { explain, knownFeatures } from "../../domain/evaluation/explanation.ts";
import { type FeatureKey, inOrder } from "../../domain/evaluation/feature.ts";
import type { Event } from "../../domain/events/event.ts";
import type { History } from "../../domain/events/history.ts";
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

/** A change of a set, and which of the features that differ it put in or took out; or of a setting of one of them. */
export type ComparedChange = SetRead & {
  readonly event: string;
  readonly by: string;
  readonly at: Instant;
  readonly note?: string;
  readonly origin: SetRecord["origin"];
  readonly added: readonly FeatureKey[];
  readonly removed: readonly FeatureKey[];
  /** The feature whose setting it changed; `key` is `collection/feature` then. */
  readonly changed: readonly FeatureKey[];
};

/** What differs for somebody between two moments. Features are sorted by code point. */
export type Difference = {
  readonly turnedOn: readonly FeatureKey[];
  readonly turnedOff: readonly FeatureKey[];
  /** Those of which it cannot be told for want of what is not known. */
  readonly undetermined: readonly FeatureKey[];
  /** The sources of which one of the moments is not known: they may have switched on other features too. */
  readonly notKnown: readonly MissingHistory[];
  /** Which changes of the sets that were read for them did it, oldest first. */
  readonly changes: readonly ComparedChange[];
};

/** Tells what changed for somebody between two moments, and who did it. */
export class CompareMoments {
  readonly #survey: EvaluateEachSource;
  readonly #history: History;

  constructor(survey: EvaluateEachSource, history: History) {
    this.#survey = survey;
    this.#history = history;
  }

  /** Rejects as `SurveySources` does, and with `SourceUnavailable` where a source fails. */
  async compare(caller: Caller, circumstances: RequestContext, from: Instant, to: Instant): Promise<Difference> {
    const [before, after] = await Promise.all([
      this.#survey.evaluate(caller, circumstances, from),
      this.#survey.evaluate(caller, circumstances, to),
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
      notKnown: onePerName([...missingHistoryOf(before.attempts), ...missingHistoryOf(after.attempts)]),
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
    return [...changes, ...(await this.#settingChanges(before, from, to, [...differing]))]
      .flat()
      .toSorted((a, b) => a.event.at - b.event.at || a.event.position - b.event.position)
      .flatMap(({ doing }) => (doing ? among(doing, differing) : []));
  }

  #settingChanges({ attempts: words }: EachSource, from: Instant, to: Instant, features: readonly FeatureKey[]) {
    const all = words.flatMap(({ source }) => source.resolver.editableRules ?? []);
    const kept = new Map(all.map((each) => [`${each.connection}/${each.collection}`, each]));
    return Promise.all(
      [...kept.values()].map(async ({ connection: store, collection }) => {
        const ask = () => this.#history.documentChangesOf(store, collection, features, from, to);
        return (await queryLog(ask)).map((event) => ({ event, doing: comparedRuleChange(event, store) }));
      }),
    );
  }

  /** The sets that a source read, and what each held, as far as that is known. */
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

function requiredOutcomes({ attempts: words }: EachSource): ReturnType<typeof outcomesOf> {
  const hearings = outcomesOf(words);
  for (const [index, word] of words.entries()) {
    if ("failure" in word && hearings[index]?.result !== "not-known") {
      throw new SourceUnavailable(word.source.name, word.failure);
    }
  }
  return hearings;
}

/**
 * What an event did to its set. Where it tells only what the set held after, that is compared with what it `held` before, if
 * that is known; which is kept up to date.
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

/** Those of the first that are not among the second. */
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
