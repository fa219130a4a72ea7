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

/** The caller and features to explain. */
export type Question = {
  readonly caller: Caller;
  readonly circumstances: RequestContext;
  /** Omitted: now. */
  readonly at?: Instant | undefined;
  /** Omitted: all features that a source lists. */
  readonly features?: readonly FeatureKey[] | undefined;
};

/** The freshness of reads. */
export type ReadFreshness = {
  /** The latest instant for which they are verified. */
  readonly asOf: Instant;
  /** Whether that is provably at most a second ago; for a past moment, whether it is that moment. */
  readonly fresh: boolean;
};

/** The state of a source. */
export type ExplainedSource = {
  readonly name: string;
  readonly role: Role;
  readonly gatedBy: readonly string[];
  /** The place of its rules, if it has any. */
  readonly settings?: { readonly store: string; readonly collection: string };
  /** The sets that it reads for this caller: one for each location, in order. */
  readonly sets: readonly SetRead[];
  readonly state: "answers" | "not-known" | "unavailable" | "left-out";
  /** The start of its history, if that is after the moment. */
  readonly knownFrom?: Instant;
  /** The error of the source, or of the read that a cached value replaced. */
  readonly fault?: string;
  /** The freshness of its reads; omitted if it read nothing. */
  readonly freshness?: ReadFreshness;
};

/** The event that added a feature to a set or removed it, or that changed a rule. */
export type ChangeEntry = {
  readonly event: string;
  readonly by: string;
  readonly at: Instant;
  readonly note?: string;
  /** `baseline`: the feature was in the set when its records began. */
  readonly origin: SetRecord["origin"];
};

/** A feature, with its verdict and the cause. */
export type ExplainedFeature = Omit<Explanation, "verdicts"> & {
  /** The sources that decide it, or would. */
  readonly decidedBy: readonly string[];
  /** The cause in one sentence. */
  readonly sentence: string;
  readonly says: readonly {
    readonly source: string;
    readonly stance: SourceVerdict;
    /** The key of the set that has the feature; for a removed feature, the set that had it last. */
    readonly set?: string;
    /** The rule of the feature, if the source has rules. */
    readonly setting?: Json;
    /** Details of the evaluation by the source. */
    readonly metadata?: NonNullable<Resolution["metadata"]>;
    /** The last change of the membership or the rule; omitted if the log does not hold it. */
    readonly turned?: ChangeEntry;
  }[];
};

export type Explained = {
  readonly context: EvaluationContext;
  /** The kind of the locator that matched; omitted if the question gives the location, or if none matched. */
  readonly locatedBy?: string;
  readonly isPast: boolean;
  /** The freshness of the caller's identity, if a token was resolved. */
  readonly identity?: ReadFreshness & { readonly userId: UserId };
  /** Whether the log answered the queries for changes. */
  readonly isLogAnswering: boolean;
  readonly sources: readonly ExplainedSource[];
  /** Sorted by name. */
  readonly features: readonly ExplainedFeature[];
};

/** The last change of each feature, by set. */
type LastChanges = ReadonlyMap<SetRead, ReadonlyMap<FeatureKey, LastChange>>;

/** The longest wait for changes that the log lacks yet. Later ones are omitted. */
const longestWaitMs = 1_000;

/** Explains why features are on or off for a caller. */
export class ExplainFeatures {
  readonly #survey: EvaluateEachSource;
  readonly #history: History;
  readonly #beforeRead: () => Promise<void>;

  /** `beforeRead` relays the outboxes to the log. It may take a second at most, and may fail. */
  constructor(survey: EvaluateEachSource, history: History, beforeRead: () => Promise<void>) {
    this.#survey = survey;
    this.#history = history;
    this.#beforeRead = beforeRead;
  }

  /**
   * Rejects as `EvaluateEachSource` does. For the present it works without the log. Errors of sources are part of the
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
      // The present content of the log is still useful.
    }
  }

  /** The last change of each feature, by set; `undefined` if the log does not answer. */
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

/** The change behind a verdict; nothing if the log has not caught up with it. */
function changeEntryOf(turn: LastChange | undefined, stance: SourceVerdict): ChangeEntry | undefined {
  const record = turn?.event.change?.record;
  if (!turn || record?.of !== "set" || stance !== (turn.on ? "on" : "unlisted")) return undefined;
  const { id, by, at, note, origin } = record;
  return { event: id, by, at, origin, ...(note === undefined ? {} : { note }) };
}

/** The set that has a feature, and the change that added it; for a removed feature, the set that had it last. */
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
