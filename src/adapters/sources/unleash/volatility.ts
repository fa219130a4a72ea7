import type { ClientFeaturesResponse, Context } from "unleash-client";
import { uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import type { SourceResult } from "../../../domain/evaluation/feature-resolver.ts";

type Feature = ClientFeaturesResponse["features"][number];
type Strategy = NonNullable<Feature["strategies"]>[number];
type Constraint = Strategy["constraints"][number];
type Segment = NonNullable<ClientFeaturesResponse["segments"]>[number];

/** How long what features say to somebody holds: up to the next date that some constraint names, and not at all where it is drawn by lot. */
export class Volatility {
  /** When constraints turn, in order. */
  readonly #turns: readonly Instant[];
  /** Whether some constraint reads the clock otherwise. */
  readonly #readsClock: boolean;
  /** By what shares are dealt out, where that matters. */
  readonly #stickiness: ReadonlySet<string>;

  constructor(features: readonly Feature[], segments: readonly Segment[]) {
    const strategies = features.flatMap((feature) => feature.strategies ?? []);
    const constraints = [...strategies, ...segments].flatMap((each) => each.constraints ?? []);
    this.#turns = constraints.flatMap(turnOf).sort((a, b) => a - b);
    this.#readsClock = constraints.some((each) => each.contextName === "currentTime" && !isDate(each));
    this.#stickiness = new Set([
      ...strategies.flatMap(sharing),
      ...features.flatMap(({ variants }) => dealing(variants)),
    ]);
  }

  /** How long an answer given at an instant holds. */
  of(at: Instant, context: Context): Pick<SourceResult, "validUntil" | "dependencies"> {
    // A read that is current at no time: nobody knows when lots fall otherwise, but that they do.
    if ([...this.#stickiness].some((by) => isRandom(by, context)))
      return { dependencies: [uncachedRead(undefined, at)], validUntil };
    if (this.#readsClock) return {};
    return { validUntil: this.#turns.find((turn) => turn > at) ?? validUntil };
  }
}

/** Of what does not end by itself. */
const validUntil = Number.POSITIVE_INFINITY;

const isDate = ({ operator }: Constraint): boolean => /^DATE_(AFTER|BEFORE)$/.test(operator);

/** The first instant at which a constraint on dates says something else. */
function turnOf(constraint: Constraint): readonly Instant[] {
  if (!isDate(constraint)) return [];
  const date = new Date(constraint.value ?? Number.NaN).getTime();
  if (Number.isNaN(date)) return [];
  return [/AFTER$/.test(constraint.operator) ? date + 1 : date];
}

/** By what a strategy deals out its share and its variants. */
function sharing({ name, parameters, variants }: Strategy): readonly string[] {
  if (name === "gradualRolloutRandom") return ["random"];
  const stickiness = String(parameters?.["stickiness"] || "default");
  const share = Number(parameters?.["rollout"]);
  const isShared = name === "flexibleRollout" && share > 0 && share < 100;
  return [...(isShared ? [stickiness] : []), ...dealing(variants, stickiness)];
}

/** By what variants are dealt out, where there is more than one. */
const dealing = (variants: Feature["variants"] | null, otherwise = "default"): readonly string[] =>
  variants?.[1] === undefined ? [] : [variants[0]?.stickiness || otherwise];

/** Whether Unleash draws lots for somebody. */
function isRandom(by: string, { userId, sessionId, properties, ...others }: Context): boolean {
  if (by === "random") return true;
  if (by === "default") return userId === undefined && sessionId === undefined;
  return ({ userId, sessionId, ...others }[by] ?? properties?.[by]) === undefined;
}
