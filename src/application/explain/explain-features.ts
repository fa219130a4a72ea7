import type { SetRecord } from "../../domain/admin/change.ts";
import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { EvaluationContext, Instant, UserId } from "../../domain/evaluation/evaluation-context.ts";
import {
  decidingSources,
  type Explanation,
  explain,
  knownFeatures,
  type SourceVerdict,
} from "../../domain/evaluation/explanation.ts";
import { type FeatureKey, inOrder, type Json, type Resolution } from "../../domain/evaluation/feature.ts";
import type { Role } from "../../domain/evaluation/source.ts";
import type { History, LastChange } from "../../domain/events/history.ts";
import { withDeadline } from "../evaluation/deadline.ts";
import { Freshness, faultOf } from "../evaluation/freshness.ts";
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
import { ruleOf, rulesWithRecords } from "./explain-rules.ts";
import { explanationText } from "./explanation-text.ts";

/** Whom and what somebody wants explained. */
export type Question = {
  readonly caller: Caller;
  readonly circumstances: RequestContext;
  /** Left out, the present. */
  readonly at?: Instant | undefined;
  /** Left out, all that some source has a say on. */
  readonly features?: readonly FeatureKey[] | undefined;
};

/** How far what was read can be trusted. */
export type ReadFreshness = {
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
  readonly freshness?: ReadFreshness;
};

/** The event since which a feature stands in a set, or does not any more. */
export type ChangeEntry = {
  readonly event: string;
  readonly by: string;
  readonly at: Instant;
  readonly note?: string;
  /** `baseline`: it stood there when the record of the set began, whoever put it there. */
  readonly origin: SetRecord["origin"];
};

/** A feature, and why it is on or off. */
export type ExplainedFeature = Omit<Explanation, "verdicts"> & {
  /** The sources that settled it, or would. */
  readonly decidedBy: readonly string[];
  /** The whole reason in one sentence, for people. */
  readonly sentence: string;
  readonly says: readonly {
    readonly source: string;
    readonly stance: SourceVerdict;
    /** The key of the set that has it; of one that is `turned` off, of the set that had it last. */
    readonly set?: string;
    /** What the source keeps of the feature, where it keeps something of single features. */
    readonly setting?: Json;
    /** What the source tells of how it came to this. */
    readonly metadata?: NonNullable<Resolution["metadata"]>;
    /** Since when the set has it, or the setting is as it is; left out where the log does not tell. */
    readonly turned?: ChangeEntry;
  }[];
};

export type Explained = {
  readonly context: EvaluationContext;
  /** The kind of the locator that told where the caller is; none where the question says so, or nobody can tell. */
  readonly locatedBy?: string;
  readonly isPast: boolean;
  /** How far it can be trusted who the caller is, where that was looked up. */
  readonly identity?: ReadFreshness & { readonly userId: UserId };
  /** Whether the log could be asked who turned what. */
  readonly isLogAnswering: boolean;
  readonly sources: readonly ExplainedSource[];
  /** By name. */
  readonly features: readonly ExplainedFeature[];
};

/** For each set what turned its features last. */
type LastChanges = ReadonlyMap<SetRead, ReadonlyMap<FeatureKey, LastChange>>;

/** So long an explanation waits for changes on their way into the log; it does not tell who made later ones. */
const longestWaitMs = 1_000;

/** Says why somebody gets the features that they get, and not others. */
export class ExplainFeatures {
  readonly #survey: EvaluateEachSource;
  readonly #history: History;
  readonly #beforeRead: () => Promise<void>;

  /** `beforeRead` brings what was recorded into the log. It is waited for a second at most, and may fail. */
  constructor(survey: EvaluateEachSource, history: History, beforeRead: () => Promise<void>) {
    this.#survey = survey;
    this.#history = history;
    this.#beforeRead = beforeRead;
  }

  /**
   * Rejects as `SurveySources` does. For the present it works without the log; sources that fail are part of the
   * explanation.
   */
  async explain({ caller, circumstances, at, features }: Question): Promise<Explained> {
    const survey = await this.#survey.evaluate(caller, circumstances, at);
    const { attempts: words, context, located, evaluatedAt: askedAt, isPast, identity } = survey;
    const hearings = outcomesOf(words);
    const sets = words.map(({ source }) => setsOf(source, context));
    if (!isPast) await this.#settled();
    const moment = isPast ? context.at : askedAt;
    const turns = await this.#turns(sets.flat(), moment);
    const kept = await Promise.all(words.map(({ source }) => rulesWithRecords(source, this.#history, moment)));
    const explained = (feature: FeatureKey): ExplainedFeature => {
      const { verdicts: stances, ...explanation } = explain(feature, hearings);
      const says = stances.map((each, index) => ({
        ...each,
        ...membershipOf(feature, each.stance, sets[index] ?? [], words[index], turns),
        ...(kept[index] && ruleOf(feature, kept[index])),
        ...metadataOf(feature, words[index]),
      }));
      const keys = new Map(says.flatMap(({ source, set }) => (set === undefined ? [] : [[source, set] as const])));
      const decidedBy = decidingSources(explanation.cause);
      return {
        ...explanation,
        decidedBy,
        sentence: explanationText({ ...explanation, verdicts: stances }, keys),
        says,
      };
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
        new Set(features ?? [...knownFeatures(hearings), ...kept.flatMap((each) => [...(each?.rules.keys() ?? [])])]),
      ).map(explained),
    };
  }

  async #settled(): Promise<void> {
    try {
      await withDeadline(longestWaitMs, this.#beforeRead);
    } catch {
      // What is in the log can be told all the same.
    }
  }

  /** For each set what turned its features last; `undefined` where the log does not answer. */
  async #turns(sets: readonly SetRead[], at: Instant): Promise<LastChanges | undefined> {
    try {
      const all = await Promise.all(
        sets.map(async (set) => {
          const turns = await queryLog(() => this.#history.lastChanges(set.store, set.key, at));
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
function changeEntryOf(turn: LastChange | undefined, stance: SourceVerdict): ChangeEntry | undefined {
  const record = turn?.event.change?.record;
  if (!turn || record?.of !== "set" || stance !== (turn.on ? "on" : "unlisted")) return undefined;
  const { id, by, at, note, origin } = record;
  return { event: id, by, at, origin, ...(note === undefined ? {} : { note }) };
}

/** In which set a feature stands that a source has, and since when; of one that it has no more, in which it stood last. */
function membershipOf(
  feature: FeatureKey,
  stance: SourceVerdict,
  sets: readonly SetRead[],
  word: SourceAttempt | undefined,
  turns: LastChanges | undefined,
): Pick<ExplainedFeature["says"][number], "set" | "turned"> {
  const turnedIn = (set: SetRead) => changeEntryOf(turns?.get(set)?.get(feature), stance);
  if (stance !== "on") {
    const left = sets.flatMap((set) => {
      const turned = turnedIn(set);
      return turned ? [{ set: set.key, turned }] : [];
    });
    return left.toSorted((one, other) => other.turned.at - one.turned.at)[0] ?? {};
  }
  const told = word && "evaluation" in word ? word.evaluation.features.get(feature)?.metadata?.["set"] : undefined;
  const set = sets.length > 1 ? sets.find(({ key }) => key === told) : sets[0];
  const turned = set && turnedIn(set);
  return set ? { set: set.key, ...(turned ? { turned } : {}) } : {};
}

function metadataOf(
  feature: FeatureKey,
  word: SourceAttempt | undefined,
): Pick<ExplainedFeature["says"][number], "metadata"> {
  const metadata = word && "evaluation" in word ? word.evaluation.features.get(feature)?.metadata : undefined;
  return metadata ? { metadata } : {};
}

function sourceOf(
  word: SourceAttempt,
  sets: readonly SetRead[],
  { evaluatedAt: askedAt, isPast, context }: EachSource,
): ExplainedSource {
  const { name, role, gatedBy } = word.source;
  const { editableRules: settings } = word.source.resolver;
  const place = settings && { store: settings.connection, collection: settings.collection };
  const rule = { name, role, gatedBy, sets, ...(place && { settings: place }) };
  if ("failure" in word) {
    const [notKnown] = missingHistoryOf([word]);
    if (notKnown) {
      const { from } = notKnown;
      return { ...rule, state: "not-known", ...(from === undefined ? {} : { knownFrom: from }) };
    }
    const state = word.source.onFailure === "skip" ? "left-out" : "unavailable";
    return { ...rule, state, fault: textOf(word.failure) };
  }
  const from = word.evaluation.result.dependencies ?? [];
  const now = isPast ? context.at : askedAt;
  const fault = faultOf(from, now);
  return {
    ...rule,
    state: "answers",
    ...(fault === undefined ? {} : { fault: textOf(fault) }),
    ...(from.length > 0 ? { freshness: freshnessOf(from, now) } : {}),
  };
}

function freshnessOf(from: readonly CachedRead<unknown>[], now: Instant): ReadFreshness {
  const provenance = new Freshness(from, Number.POSITIVE_INFINITY);
  return { asOf: provenance.verifiedAt(now), fresh: !provenance.isStale(now) };
}

const textOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));
