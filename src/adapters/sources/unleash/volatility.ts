import type { ClientFeaturesResponse, Context } from "unleash-client";
import { uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import type { SourceResult } from "../../../domain/evaluation/source-result.ts";

type Feature = ClientFeaturesResponse["features"][number];
type Strategy = NonNullable<Feature["strategies"]>[number];
type Constraint = Strategy["constraints"][number];
type Segment = NonNullable<ClientFeaturesResponse["segments"]>[number];

/** Validity of results that do not expire. */
const validUntil = Number.POSITIVE_INFINITY;

/** Validity of Unleash results at an instant: until the next date in a constraint. Random results are not cached. */
export function volatility(
  features: readonly Feature[],
  segments: readonly Segment[],
): (at: Instant, context: Context) => Pick<SourceResult, "validUntil" | "dependencies"> {
  const strategies = features.flatMap((feature) => feature.strategies ?? []);
  const constraints = [...strategies, ...segments].flatMap((each) => each.constraints ?? []);
  const boundaries = constraints.flatMap(boundariesOf).sort((a, b) => a - b);
  const readsClock = constraints.some((each) => each.contextName === "currentTime" && !isDate(each));
  const stickiness = new Set([
    ...strategies.flatMap(sharing),
    ...features.flatMap(({ variants }) => dealing(variants)),
  ]);
  return (at, context) => {
    // A read that is never current, because random rollouts can differ on each call.
    if ([...stickiness].some((by) => isRandom(by, context)))
      return { dependencies: [uncachedRead(undefined, at)], validUntil };
    return readsClock ? {} : { validUntil: boundaries.find((instant) => instant > at) ?? validUntil };
  };
}

const isDate = ({ operator }: Constraint): boolean => /^DATE_(AFTER|BEFORE)$/.test(operator);

/** The instant at which a date constraint changes its result. */
function boundariesOf(constraint: Constraint): readonly Instant[] {
  if (!isDate(constraint)) return [];
  const date = new Date(constraint.value ?? Number.NaN).getTime();
  if (Number.isNaN(date)) return [];
  return [/AFTER$/.test(constraint.operator) ? date + 1 : date];
}

/** Stickiness fields of a strategy's rollout and variants. */
function sharing({ name, parameters, variants }: Strategy): readonly string[] {
  if (name === "gradualRolloutRandom") return ["random"];
  const stickiness = String(parameters?.["stickiness"] || "default");
  const share = Number(parameters?.["rollout"]);
  const isShared = name === "flexibleRollout" && share > 0 && share < 100;
  return [...(isShared ? [stickiness] : []), ...dealing(variants, stickiness)];
}

/** Stickiness field of variants, if there is more than one. */
const dealing = (variants: Feature["variants"] | null, otherwise = "default"): readonly string[] =>
  variants?.[1] === undefined ? [] : [variants[0]?.stickiness || otherwise];

/** Whether Unleash picks a random bucket for a context. */
function isRandom(by: string, { userId, sessionId, properties, ...others }: Context): boolean {
  if (by === "random") return true;
  if (by === "default") return userId === undefined && sessionId === undefined;
  return ({ userId, sessionId, ...others }[by] ?? properties?.[by]) === undefined;
}
