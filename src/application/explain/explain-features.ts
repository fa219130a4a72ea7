import type { SetRecord } from "../../domain/admin/change.ts";
import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { EvaluationContext, Instant, UserId } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, inOrder, type Json } from "../../domain/evaluation/feature.ts";
import type { Role } from "../../domain/evaluation/source.ts";
import type { Resolution } from "../../domain/evaluation/source-result.ts";
import type { History, LastChange } from "../../domain/events/history.ts";
import {
  decidingSources,
  type Explanation,
  explain,
  type FeatureOutcome,
  knownFeatures,
  type NoResultReason,
} from "../../domain/explain/explanation.ts";
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
  readonly requestContext: RequestContext;
  /** Omitted: now. */
  readonly at?: Instant | undefined;
  /** Omitted: all features that a source lists. */
  readonly features?: readonly FeatureKey[] | undefined;
};

/** The freshness of reads. */
export type ReadFreshness = {
  /** The latest instant for which they are verified. */
  readonly asOf: Instant;
  /** Whether it was verified at most a second ago; for a past time, whether it is that of that time. */
  readonly fresh: boolean;
};

/** The state of a source. */
export type ExplainedSource = {
  readonly name: string;
  readonly role: Role;
  readonly gatedBy: readonly string[];
  /** The collection of its rules, if it has any. */
  readonly rules?: { readonly store: string; readonly collection: string };
  /** The sets that it reads for this caller: one for each location, in order. */
  readonly sets: readonly SetRead[];
  readonly state: "evaluated" | NoResultReason;
  /** The start of its history, if that is after the time. */
  readonly historyFrom?: Instant;
  /** The error of the source, or of the read that a cached value replaced. */
  readonly error?: string;
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

/** A feature, with its state and the cause. */
export type ExplainedFeature = Omit<Explanation, "results"> & {
  /** The sources that decide it, or would. */
  readonly decidedBy: readonly string[];
  /** The cause in one sentence. */
  readonly message: string;
  readonly results: readonly {
    readonly source: string;
    readonly result: FeatureOutcome;
    /** The key of the set that has the feature; for a removed feature, the set that had it last. */
    readonly set?: string;
    /** The rule of the feature, if the source has rules. */
    readonly rule?: Json;
    /** Details of the evaluation by the source. */
    readonly metadata?: NonNullable<Resolution["metadata"]>;
    /** The last change of the membership or the rule; omitted if the log does not hold it. */
    readonly lastChange?: ChangeEntry;
  }[];
};

/** The context of an explanation, and the state of each source. */
export type ExplainedContext = {
  readonly context: EvaluationContext;
  /** The kind of the locator that matched; omitted if the question gives the location, or if none matched. */
  readonly locatedBy?: string;
  readonly isPast: boolean;
  /** The freshness of the caller's identity, if a token was resolved. */
  readonly identity?: ReadFreshness & { readonly userId: UserId };
  readonly sources: readonly ExplainedSource[];
};

/** A feature, with its state and the cause in one sentence. */
export type SummarizedFeature = Pick<ExplainedFeature, "feature" | "on" | "message" | "decidedBy" | "resolution">;

/** The states of all features for a context, sorted by key. The cause of a feature is computed when it is asked for. */
export type Summary = ExplainedContext & {
  readonly states: ReadonlyMap<FeatureKey, boolean | undefined>;
  readonly summarize: (feature: FeatureKey) => SummarizedFeature;
};

export type Explained = ExplainedContext & {
  /** Whether the log responded to the queries for changes. */
  readonly isLogAvailable: boolean;
  /** Sorted by name. */
  readonly features: readonly ExplainedFeature[];
};

/** The last change of each feature, by set. */
type LastChanges = ReadonlyMap<SetRead, ReadonlyMap<FeatureKey, LastChange>>;

/** Maximum wait for changes that the log lacks yet. Later ones are omitted. */
const maxWaitMs = 1_000;

/** Explains why features are on or off for a caller. */
export class ExplainFeatures {
  readonly #sources: EvaluateEachSource;
  readonly #history: History;
  readonly #beforeRead: () => Promise<void>;

  /** `beforeRead` relays the outboxes to the log. It may take a second at most, and may fail. */
  constructor(sources: EvaluateEachSource, history: History, beforeRead: () => Promise<void>) {
    this.#sources = sources;
    this.#history = history;
    this.#beforeRead = beforeRead;
  }

  /**
   * Rejects as `EvaluateEachSource` does. For the present it works without the log. Errors of sources are part of the
   * explanation.
   */
  async explain({ caller, requestContext, at, features }: Question): Promise<Explained> {
    const each = await this.#sources.evaluate(caller, requestContext, at);
    const { attempts, context, evaluatedAt, isPast } = each;
    const outcomes = outcomesOf(attempts);
    const sets = attempts.map(({ source }) => setsOf(source, context));
    if (!isPast) await this.#settled();
    const effectiveAt = isPast ? context.at : evaluatedAt;
    const lastChanges = await this.#lastChanges(sets.flat(), effectiveAt);
    const rules = await Promise.all(attempts.map(({ source }) => rulesWithRecords(source, this.#history, effectiveAt)));
    const explained = (feature: FeatureKey): ExplainedFeature => {
      const explanation = explain(feature, outcomes);
      const results = explanation.results.map((of, index) => ({
        ...of,
        ...membershipOf(feature, of.result, sets[index] ?? [], attempts[index], lastChanges),
        ...(rules[index] && ruleOf(feature, rules[index])),
        ...metadataOf(feature, attempts[index]),
      }));
      return { ...withCause(explanation, results), results };
    };
    return {
      ...contextOf(each, caller, sets),
      isLogAvailable: lastChanges !== undefined && rules.every((of) => !of || of.records),
      features: inOrder(
        new Set(features ?? [...knownFeatures(outcomes), ...rules.flatMap((of) => [...(of?.rules.keys() ?? [])])]),
      ).map(explained),
    };
  }

  /**
   * The states of the features that a source lists, and of the given ones, without the changes behind them. Rejects as
   * `EvaluateEachSource` does.
   */
  async summarize({ caller, requestContext, at, features = [] }: Question): Promise<Summary> {
    const each = await this.#sources.evaluate(caller, requestContext, at);
    const { attempts, context } = each;
    const outcomes = outcomesOf(attempts);
    const sets = attempts.map(({ source }) => setsOf(source, context));
    const all = inOrder(new Set([...knownFeatures(outcomes), ...features]));
    return {
      ...contextOf(each, caller, sets),
      states: new Map(all.map((feature) => [feature, explain(feature, outcomes).on])),
      summarize: (feature) => {
        const explanation = explain(feature, outcomes);
        const results = explanation.results.map((of, index) => ({
          ...of,
          ...membershipOf(feature, of.result, sets[index] ?? [], attempts[index], undefined),
        }));
        return withCause(explanation, results);
      },
    };
  }

  async #settled(): Promise<void> {
    try {
      await withDeadline(maxWaitMs, this.#beforeRead);
    } catch {
      // The present content of the log is still useful.
    }
  }

  /** The last change of each feature, by set; `undefined` if the log does not respond. */
  async #lastChanges(sets: readonly SetRead[], at: Instant): Promise<LastChanges | undefined> {
    try {
      const all = await Promise.all(
        sets.map(async (set) => {
          const changes = await queryLog(() => this.#history.lastChanges(set.store, set.key, at));
          return [set, new Map(changes.map((change) => [change.feature, change]))] as const;
        }),
      );
      return new Map(all);
    } catch {
      return undefined;
    }
  }
}

/** An explanation with its cause in one sentence. */
function withCause(explanation: Explanation, results: readonly { readonly source: string; readonly set?: string }[]) {
  const keys = new Map(results.flatMap(({ source, set }) => (set === undefined ? [] : [[source, set] as const])));
  return {
    ...explanation,
    decidedBy: decidingSources(explanation.cause),
    message: explanationText(explanation, keys),
  };
}

function contextOf(each: EachSource, caller: Caller, sets: readonly (readonly SetRead[])[]): ExplainedContext {
  const { attempts, context, located, evaluatedAt, isPast, identity } = each;
  return {
    context,
    ...(located ? { locatedBy: located.by } : {}),
    isPast,
    ...(identity?.value !== undefined && caller && "token" in caller
      ? { identity: { ...freshnessOf([identity], evaluatedAt), userId: identity.value } }
      : {}),
    sources: attempts.map((attempt, index) => sourceOf(attempt, sets[index] ?? [], each)),
  };
}

/** The change behind a result; nothing if the log has not caught up with it. */
function changeEntryOf(change: LastChange | undefined, result: FeatureOutcome): ChangeEntry | undefined {
  const record = change?.event.change?.record;
  if (!change || record?.of !== "set" || result !== (change.on ? "on" : "absent")) return undefined;
  const { id, by, at, note, origin } = record;
  return { event: id, by, at, origin, ...(note === undefined ? {} : { note }) };
}

/** The set that has a feature, and the change that added it; for a removed feature, the set that had it last. */
function membershipOf(
  feature: FeatureKey,
  result: FeatureOutcome,
  sets: readonly SetRead[],
  attempt: SourceAttempt | undefined,
  lastChanges: LastChanges | undefined,
): Pick<ExplainedFeature["results"][number], "set" | "lastChange"> {
  const lastChangeIn = (set: SetRead) => changeEntryOf(lastChanges?.get(set)?.get(feature), result);
  if (result !== "on") {
    const removals = sets.flatMap((set) => {
      const lastChange = lastChangeIn(set);
      return lastChange ? [{ set: set.key, lastChange }] : [];
    });
    return removals.toSorted((one, other) => other.lastChange.at - one.lastChange.at)[0] ?? {};
  }
  const key = metadataOf(feature, attempt).metadata?.["set"];
  const set = sets.length > 1 ? sets.find((each) => each.key === key) : sets[0];
  const lastChange = set && lastChangeIn(set);
  return set ? { set: set.key, ...(lastChange ? { lastChange } : {}) } : {};
}

function metadataOf(
  feature: FeatureKey,
  attempt: SourceAttempt | undefined,
): Pick<ExplainedFeature["results"][number], "metadata"> {
  const metadata = attempt && "evaluation" in attempt ? attempt.evaluation.features.get(feature)?.metadata : undefined;
  return metadata ? { metadata } : {};
}

function sourceOf(
  attempt: SourceAttempt,
  sets: readonly SetRead[],
  { evaluatedAt, isPast, context }: EachSource,
): ExplainedSource {
  const { name, role, gatedBy, onFailure, editableRules: rules } = attempt.source;
  const place = rules && { store: rules.connection, collection: rules.collection };
  const declared = { name, role, gatedBy, sets, ...(place && { rules: place }) };
  if ("failure" in attempt) {
    const [missing] = missingHistoryOf([attempt]);
    if (missing) {
      const { from } = missing;
      return { ...declared, state: "no-history", ...(from === undefined ? {} : { historyFrom: from }) };
    }
    return { ...declared, state: onFailure === "skip" ? "skipped" : "unavailable", error: textOf(attempt.failure) };
  }
  const reads = attempt.evaluation.result.dependencies ?? [];
  const now = isPast ? context.at : evaluatedAt;
  const fault = faultOf(reads, now);
  return {
    ...declared,
    state: "evaluated",
    ...(fault === undefined ? {} : { error: textOf(fault) }),
    ...(reads.length > 0 ? { freshness: freshnessOf(reads, now) } : {}),
  };
}

function freshnessOf(reads: readonly CachedRead<unknown>[], now: Instant): ReadFreshness {
  const freshness = new Freshness(reads, Number.POSITIVE_INFINITY);
  return { asOf: freshness.verifiedAt(now), fresh: !freshness.isStale(now) };
}

const textOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));
