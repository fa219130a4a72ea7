import type {
  Explained,
  ExplainedContext,
  ExplainedFeature,
  ExplainedSource,
  ReadFreshness,
  SummarizedFeature,
} from "../application/explain/explained.ts";
import { instantText } from "../domain/evaluation/evaluation-context.ts";
import { instantJson } from "./instant-json.ts";

/** An explanation in JSON, as HTTP and the command line return it. */
export function explainedJson({ isLogAvailable, features, ...context }: Explained) {
  const { sources, ...others } = explainedContextJson(context);
  return {
    ...others,
    log: isLogAvailable ? ("available" as const) : ("unavailable" as const),
    sources,
    features: features.map(featureJson),
  };
}

/** The context of an explanation and its sources in JSON. */
export const explainedContextJson = ({ context, locatedBy, isPast, identity, sources }: ExplainedContext) => ({
  at: instantText(context.at),
  state: isPast ? ("history" as const) : ("current" as const),
  configuration: "current" as const,
  user: context.userId ?? null,
  location: context.locations?.[0] ?? null,
  locations: [...(context.locations ?? [])],
  locatedBy: locatedBy ?? null,
  identity: identity ? freshnessJson(identity) : null,
  incomplete: sources.filter(({ state }) => state !== "evaluated").map(({ name }) => name),
  sources: sources.map(sourceJson),
});

/** The state of a feature and its cause in JSON, without the results of sources. */
export const summarizedFeatureJson = ({ feature, on, message, decidedBy, resolution }: SummarizedFeature) => ({
  feature,
  on: on ?? null,
  value: on ? (resolution?.value ?? null) : null,
  variant: resolution?.variant ?? null,
  message,
  decidedBy: [...decidedBy],
});

const sourceJson = ({
  name,
  role,
  gatedBy,
  default: byDefault,
  sets,
  rules,
  state,
  historyFrom,
  error,
  freshness,
}: ExplainedSource) => ({
  name,
  role,
  gatedBy,
  default: byDefault,
  sets: sets.map(({ store, key }) => ({ connection: store, key })),
  rules: rules ? { connection: rules.store, collection: rules.collection } : null,
  state,
  historyFrom: instantJson(historyFrom),
  error: error ?? null,
  freshness: freshness ? freshnessJson(freshness) : null,
});

const featureJson = ({ feature, on, message, decidedBy, resolution, results }: ExplainedFeature) => ({
  feature,
  on: on ?? null,
  message,
  decidedBy: [...decidedBy],
  reason: resolution?.reason ?? null,
  variant: resolution?.variant ?? null,
  results: results.map(({ source, result, set, rule, metadata, lastChange }) => ({
    source,
    result,
    set: set ?? null,
    rule: rule ?? null,
    metadata: metadata ?? null,
    lastChange: lastChange ? { ...lastChange, at: instantText(lastChange.at) } : null,
  })),
});

const freshnessJson = ({ asOf, fresh }: ReadFreshness) => ({ asOf: instantText(asOf), fresh });
