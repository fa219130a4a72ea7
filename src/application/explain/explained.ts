import type { EvaluationContext, Instant, UserId } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey, Json } from "../../domain/evaluation/feature.ts";
import type { DeclaredSource } from "../../domain/evaluation/source.ts";
import type { Resolution } from "../../domain/evaluation/source-result.ts";
import type { Explanation, FeatureOutcome, NoResultReason } from "../../domain/explain/explanation.ts";
import type { Caller, RequestContext } from "../evaluation/identify-caller.ts";
import type { ChangeEntry } from "../events/change-entry.ts";
import type { SetRead } from "./evaluate-each-source.ts";

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
export type ExplainedSource = DeclaredSource & {
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

/** The states of all features for a context, sorted by key. The cause of a feature is computed on request. */
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
