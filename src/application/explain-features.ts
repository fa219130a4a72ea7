import type { SetRecord } from "../domain/change.ts";
import type { EvaluationContext, Instant, UserId } from "../domain/evaluation-context.ts";
import { deciders, type Explanation, explain, known, type Stance } from "../domain/explain.ts";
import { type FeatureKey, inOrder, type Json, type Resolution } from "../domain/feature.ts";
import type { Held } from "../domain/held.ts";
import type { History, Turn } from "../domain/history.ts";
import type { Role } from "../domain/source.ts";
import { askLog } from "./ask-log.ts";
import { within } from "./deadline.ts";
import { settingOf, settingsKept } from "./explain-settings.ts";
import type { Caller, Circumstances } from "./identify-caller.ts";
import { faultOf, Provenance } from "./provenance.ts";
import { sentenceFor } from "./sentence-for.ts";
import {
  hearingsOf,
  notKnownIn,
  type SetRead,
  type Survey,
  type SurveySources,
  setsOf,
  type Word,
} from "./survey-sources.ts";

/** Whom and what somebody wants explained. */
export type Question = {
  readonly caller: Caller;
  readonly circumstances: Circumstances;
  /** Left out, the present. */
  readonly at?: Instant | undefined;
  /** Left out, all that some source has a say on. */
  readonly features?: readonly FeatureKey[] | undefined;
};

/** How far what was read can be trusted. */
export type Freshness = {
  /** The latest instant for which it is known to be true. */
  readonly asOf: Instant;
  /** Whether that is provably at most a second ago; of a past moment, whether that is the moment. */
  readonly fresh: boolean;
};

/** How a source did. */
export type ExplainedSource = {
  readonly name: string;
  readonly role: Role;
  readonly gatedBy: readonly string[];
  /** Where it keeps settings of single features, if it does. */
  readonly settings?: { readonly store: string; readonly collection: string };
  /** The sets that it reads for this caller: of several locations one each, in their order. */
  readonly sets: readonly SetRead[];
  readonly state: "answers" | "not-known" | "unavailable" | "left-out";
  /** From when on it is known, where that is later than the moment. */
  readonly knownFrom?: Instant;
  /** Why it does not answer, or had to answer from what was remembered. */
  readonly fault?: string;
  /** Of what it read; a source that read nothing has none. */
  readonly freshness?: Freshness;
};

/** The event since which a feature stands in a set, or does not any more. */
export type TurnedBy = {
  readonly event: string;
  readonly by: string;
  readonly at: Instant;
  readonly note?: string;
  /** `baseline`: it stood there when the record of the set began, whoever put it there. */
  readonly origin: SetRecord["origin"];
};

/** A feature, and why it is on or off. */
export type ExplainedFeature = Omit<Explanation, "stances"> & {
  /** The sources that settled it, or would. */
  readonly decidedBy: readonly string[];
  /** The whole reason in one sentence, for people. */
  readonly sentence: string;
  readonly says: readonly {
    readonly source: string;
    readonly stance: Stance;
    /** The key of the set that has it; of one that is `turned` off, of the set that had it last. */
    readonly set?: string;
    /** What the source keeps of the feature, where it keeps something of single features. */
    readonly setting?: Json;
    /** What the source tells of how it came to this. */
    readonly metadata?: NonNullable<Resolution["metadata"]>;
    /** Since when the set has it, or the setting is as it is; left out where the log does not tell. */
    readonly turned?: TurnedBy;
  }[];
};

export type Explained = {
  readonly context: EvaluationContext;
  /** The kind of the locator that told where the caller is; none where the question says so, or nobody can tell. */
  readonly locatedBy?: string;
  readonly isPast: boolean;
  /** How far it can be trusted who the caller is, where that was looked up. */
  readonly identity?: Freshness & { readonly userId: UserId };
  /** Whether the log could be asked who turned what. */
  readonly isLogAnswering: boolean;
  readonly sources: readonly ExplainedSource[];
  /** By name. */
  readonly features: readonly ExplainedFeature[];
};

/** For each set what turned its features last. */
type Turns = ReadonlyMap<SetRead, ReadonlyMap<FeatureKey, Turn>>;

/** So long an explanation waits for changes on their way into the log; it does not tell who made later ones. */
const longestWaitMs = 1_000;

/** Says why somebody gets the features that they get, and not others. */
export class ExplainFeatures {
  readonly #survey: SurveySources;
  readonly #history: History;
  readonly #beforeRead: () => Promise<void>;

  /** `beforeRead` brings what was recorded into the log. It is waited for a second at most, and may fail. */
  constructor(survey: SurveySources, history: History, beforeRead: () => Promise<void>) {
    this.#survey = survey;
    this.#history = history;
    this.#beforeRead = beforeRead;
  }

  /**
   * Rejects as `SurveySources` does. For the present it works without the log; sources that fail are part of the
   * explanation.
   */
  async execute({ caller, circumstances, at, features }: Question): Promise<Explained> {
    const survey = await this.#survey.execute(caller, circumstances, at);
    const { words, context, located, askedAt, isPast, identity } = survey;
    const hearings = hearingsOf(words);
    const sets = words.map(({ source }) => setsOf(source, context));
    if (!isPast) await this.#settled();
    const moment = isPast ? context.at : askedAt;
    const turns = await this.#turns(sets.flat(), moment);
    const kept = await Promise.all(words.map(({ source }) => settingsKept(source, this.#history, moment)));
    const explained = (feature: FeatureKey): ExplainedFeature => {
      const { stances, ...explanation } = explain(feature, hearings);
      const says = stances.map((each, index) => ({
        ...each,
        ...standingOf(feature, each.stance, sets[index] ?? [], words[index], turns),
        ...(kept[index] && settingOf(feature, kept[index])),
        ...metadataOf(feature, words[index]),
      }));
      const keys = new Map(says.flatMap(({ source, set }) => (set === undefined ? [] : [[source, set] as const])));
      const decidedBy = deciders(explanation.cause);
      return { ...explanation, decidedBy, sentence: sentenceFor({ ...explanation, stances }, keys), says };
    };
    return {
      context,
      ...(located ? { locatedBy: located.by } : {}),
      isPast,
      ...(identity?.value !== undefined && caller && "token" in caller
        ? { identity: { ...freshnessOf([identity], askedAt), userId: identity.value } }
        : {}),
      isLogAnswering: turns !== undefined && kept.every((each) => !each || each.records),
      sources: words.map((word, index) => sourceOf(word, sets[index] ?? [], survey)),
      features: inOrder(
        new Set(features ?? [...known(hearings), ...kept.flatMap((each) => [...(each?.settings.keys() ?? [])])]),
      ).map(explained),
    };
  }

  async #settled(): Promise<void> {
    try {
      await within(longestWaitMs, this.#beforeRead);
    } catch {
      // What is in the log can be told all the same.
    }
  }

  /** For each set what turned its features last; `undefined` where the log does not answer. */
  async #turns(sets: readonly SetRead[], at: Instant): Promise<Turns | undefined> {
    try {
      const all = await Promise.all(
        sets.map(async (set) => {
          const turns = await askLog(() => this.#history.turns(set.store, set.key, at));
          return [set, new Map(turns.map((turn) => [turn.feature, turn]))] as const;
        }),
      );
      return new Map(all);
    } catch {
      return undefined;
    }
  }
}

/** What a turn tells of a stance; nothing where the log has not caught up with it. */
function turnedBy(turn: Turn | undefined, stance: Stance): TurnedBy | undefined {
  const record = turn?.event.change?.record;
  if (!turn || record?.of !== "set" || stance !== (turn.on ? "on" : "unlisted")) return undefined;
  const { id, by, at, note, origin } = record;
  return { event: id, by, at, origin, ...(note === undefined ? {} : { note }) };
}

/** In which set a feature stands that a source has, and since when; of one that it has no more, in which it stood last. */
function standingOf(
  feature: FeatureKey,
  stance: Stance,
  sets: readonly SetRead[],
  word: Word | undefined,
  turns: Turns | undefined,
): Pick<ExplainedFeature["says"][number], "set" | "turned"> {
  const turnedIn = (set: SetRead) => turnedBy(turns?.get(set)?.get(feature), stance);
  if (stance !== "on") {
    const left = sets.flatMap((set) => {
      const turned = turnedIn(set);
      return turned ? [{ set: set.key, turned }] : [];
    });
    return left.toSorted((one, other) => other.turned.at - one.turned.at)[0] ?? {};
  }
  const told = word && "heard" in word ? word.heard.features.get(feature)?.metadata?.["set"] : undefined;
  const set = sets.length > 1 ? sets.find(({ key }) => key === told) : sets[0];
  const turned = set && turnedIn(set);
  return set ? { set: set.key, ...(turned ? { turned } : {}) } : {};
}

function metadataOf(feature: FeatureKey, word: Word | undefined): Pick<ExplainedFeature["says"][number], "metadata"> {
  const metadata = word && "heard" in word ? word.heard.features.get(feature)?.metadata : undefined;
  return metadata ? { metadata } : {};
}

function sourceOf(word: Word, sets: readonly SetRead[], { askedAt, isPast, context }: Survey): ExplainedSource {
  const { name, role, gatedBy } = word.source;
  const { settings } = word.source.resolver;
  const place = settings && { store: settings.connection, collection: settings.collection };
  const rule = { name, role, gatedBy, sets, ...(place && { settings: place }) };
  if ("failure" in word) {
    const [notKnown] = notKnownIn([word]);
    if (notKnown) {
      const { from } = notKnown;
      return { ...rule, state: "not-known", ...(from === undefined ? {} : { knownFrom: from }) };
    }
    const state = word.source.onFailure === "skip" ? "left-out" : "unavailable";
    return { ...rule, state, fault: textOf(word.failure) };
  }
  const from = word.heard.answer.from ?? [];
  const now = isPast ? context.at : askedAt;
  const fault = faultOf(from, now);
  return {
    ...rule,
    state: "answers",
    ...(fault === undefined ? {} : { fault: textOf(fault) }),
    ...(from.length > 0 ? { freshness: freshnessOf(from, now) } : {}),
  };
}

function freshnessOf(from: readonly Held<unknown>[], now: Instant): Freshness {
  const provenance = new Provenance(from, Number.POSITIVE_INFINITY);
  return { asOf: provenance.asOf(now), fresh: !provenance.isStale(now) };
}

const textOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));
