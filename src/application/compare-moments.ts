import type { Event } from "../domain/activity.ts";
import { externalAuthor, type SetRecord } from "../domain/change.ts";
import { SourceUnavailable, type Unknown } from "../domain/errors.ts";
import type { EvaluationContext, Instant } from "../domain/evaluation-context.ts";
import { explain, known } from "../domain/explain.ts";
import { type FeatureKey, inOrder } from "../domain/feature.ts";
import type { History } from "../domain/history.ts";
import { askLog } from "./ask-log.ts";
import type { Caller, Circumstances } from "./identify-caller.ts";
import {
  hearingsOf,
  notKnownIn,
  type SetRead,
  type Survey,
  type SurveySources,
  setsOf,
  type Word,
} from "./survey-sources.ts";

/** A change of a set, and which of the features that differ it put in or took out; or of a setting of one of them. */
export type Doing = SetRead & {
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
  readonly open: readonly FeatureKey[];
  /** The sources of which one of the moments is not known: they may have switched on other features too. */
  readonly notKnown: readonly Unknown[];
  /** Which changes of the sets that were read for them did it, oldest first. */
  readonly doings: readonly Doing[];
};

/** Tells what changed for somebody between two moments, and who did it. */
export class CompareMoments {
  readonly #survey: SurveySources;
  readonly #history: History;

  constructor(survey: SurveySources, history: History) {
    this.#survey = survey;
    this.#history = history;
  }

  /** Rejects as `SurveySources` does, and with `SourceUnavailable` where a source fails. */
  async execute(caller: Caller, circumstances: Circumstances, from: Instant, to: Instant): Promise<Difference> {
    const [before, after] = await Promise.all([
      this.#survey.execute(caller, circumstances, from),
      this.#survey.execute(caller, circumstances, to),
    ]);
    const [heardBefore, heardAfter] = [heardIn(before), heardIn(after)];
    const features = inOrder(new Set([...known(heardBefore), ...known(heardAfter)]));
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
      open,
      notKnown: onePerName([...notKnownIn(before.words), ...notKnownIn(after.words)]),
      doings: await this.#doings(before, from, to, new Set([...turnedOn, ...turnedOff, ...open])),
    };
  }

  async #doings(
    before: Survey,
    from: Instant,
    to: Instant,
    differing: ReadonlySet<FeatureKey>,
  ): Promise<readonly Doing[]> {
    if (differing.size === 0) return [];
    const sets = (await Promise.all(before.words.map((word) => this.#setsBefore(word, before.context)))).flat();
    const changes = await Promise.all(
      [...Map.groupBy(sets, ({ store }) => store)].map(async ([store, those]) => {
        const held = new Map(those.map((set) => [set.key, set.held]));
        const events = await askLog(() => this.#history.changesOf(store, [...held.keys()], from, to));
        return events.map((event) => ({ event, doing: doingOf(event, store, held) }));
      }),
    );
    return [...changes, ...(await this.#settingChanges(before, from, to, [...differing]))]
      .flat()
      .toSorted((a, b) => a.event.at - b.event.at || a.event.position - b.event.position)
      .flatMap(({ doing }) => (doing ? among(doing, differing) : []));
  }

  #settingChanges({ words }: Survey, from: Instant, to: Instant, features: readonly FeatureKey[]) {
    const all = words.flatMap(({ source }) => source.resolver.settings ?? []);
    const kept = new Map(all.map((each) => [`${each.connection}/${each.collection}`, each]));
    return Promise.all(
      [...kept.values()].map(async ({ connection: store, collection }) => {
        const ask = () => this.#history.documentChangesOf(store, collection, features, from, to);
        return (await askLog(ask)).map((event) => ({ event, doing: settingDoingOf(event, store) }));
      }),
    );
  }

  /** The sets that a source read, and what each held, as far as that is known. */
  async #setsBefore(
    word: Word,
    context: EvaluationContext,
  ): Promise<readonly (SetRead & { readonly held: readonly FeatureKey[] | undefined })[]> {
    const sets = setsOf(word.source, context);
    if (sets.length === 1) {
      const held = "heard" in word ? [...word.heard.features.keys()] : undefined;
      return sets.map((set) => ({ ...set, held }));
    }
    return Promise.all(
      sets.map(async (set) => {
        const past = await askLog(() => this.#history.setAt(set.store, set.key, context.at));
        return { ...set, held: past?.features };
      }),
    );
  }
}

function heardIn({ words }: Survey): ReturnType<typeof hearingsOf> {
  const hearings = hearingsOf(words);
  for (const [index, word] of words.entries()) {
    if ("failure" in word && hearings[index]?.said !== "not-known") {
      throw new SourceUnavailable(word.source.name, word.failure);
    }
  }
  return hearings;
}

/**
 * What an event did to its set. Where it tells only what the set held after, that is compared with what it `held` before, if
 * that is known; which is kept up to date.
 */
function doingOf(event: Event, store: string, held: Map<string, readonly FeatureKey[] | undefined>): Doing | undefined {
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

function settingDoingOf(event: Event, store: string): Doing | undefined {
  const record = event.change?.record;
  if (record?.of !== "document") return undefined;
  const { id, by, at, note, collection, name } = record;
  const origin = by === externalAuthor ? "external" : "change";
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

function among(doing: Doing, features: ReadonlySet<FeatureKey>): readonly Doing[] {
  const added = doing.added.filter((feature) => features.has(feature));
  const removed = doing.removed.filter((feature) => features.has(feature));
  return added.length + removed.length + doing.changed.length > 0 ? [{ ...doing, added, removed }] : [];
}

const onePerName = (parts: readonly Unknown[]): readonly Unknown[] =>
  parts.filter(({ name }, index) => parts.findIndex((other) => other.name === name) === index);
