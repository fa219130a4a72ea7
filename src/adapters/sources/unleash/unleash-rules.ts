import { EventEmitter } from "node:events";
import { type Context, Unleash, UnleashEvents, type Variant } from "unleash-client";
import type { EvaluationContext } from "../../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey, Json } from "../../../domain/evaluation/feature.ts";
import type { Reason, Resolution, SourceResult } from "../../../domain/evaluation/source-result.ts";
import { named, type UnleashFeature, type UnleashSegment, unleashDocument } from "./unleash-document.ts";
import { volatility } from "./volatility.ts";

/** The application that Unleash evaluates for. */
export type UnleashApplication = { readonly appName: string; readonly environment: string };

/** The features of an Unleash server, evaluated by its own library. Immutable. */
export class UnleashRules {
  readonly #unleash: Unleash;
  readonly #features: readonly UnleashFeature[];
  readonly #volatility: ReturnType<typeof volatility>;
  /** Results of features that cannot be evaluated. */
  readonly #broken: ReadonlyMap<FeatureKey, Resolution>;
  /** Faults of single features, each with the feature's name. Features that cannot be evaluated are off. */
  readonly faults: readonly string[];

  /** The document as it was read; empty if there was no text. */
  readonly text: string;

  /** Throws, with the reason, if the document is unusable as a whole. */
  constructor(content: unknown, application: UnleashApplication, text = "") {
    this.text = text;
    const { features, segments, broken, faults } = unleashDocument(content);
    this.#features = features;
    this.#broken = new Map([...broken].map(([name, error]) => [name, brokenBy(error)]));
    this.#volatility = volatility(features, segments);
    this.#unleash = offline(new KnownFeatures(features, segments), application);
    this.faults = [...faults, ...this.#trialFaults()];
  }

  /** Parses JSON. Throws as the constructor does. */
  static parse(text: string, application: UnleashApplication): UnleashRules {
    return new UnleashRules(JSON.parse(text), application, text);
  }

  evaluate(context: EvaluationContext): SourceResult {
    const input = unleashContext(context);
    return {
      features: new Map([
        ...this.#broken,
        ...this.#features.map((each) => [each.name, this.#resolutionOf(each, input)] as const),
      ]),
      ...this.#volatility(context.at, input),
    };
  }

  #resolutionOf(feature: UnleashFeature, context: Context): Resolution {
    const metadata = aboutOf(feature);
    if (!feature.enabled) return { on: false, value: false, reason: "DISABLED", metadata };
    try {
      const { feature_enabled: on = false, ...variant } = this.#unleash.getVariant(feature.name, context);
      if (!on) return { on, value: false, reason: "DEFAULT", metadata };
      if (variant.enabled) {
        const { name, payload } = variant;
        const about = typeof payload?.value === "string" ? { ...metadata, payload: { ...payload } } : metadata;
        return { on, value: payloadOf(variant), variant: name, reason: "SPLIT", metadata: about };
      }
      return { on, value: true, reason: reasonOf(feature), metadata };
    } catch (error) {
      return brokenBy(String(error), metadata);
    }
  }

  /** Faults that a trial evaluation of all features finds. */
  #trialFaults(): readonly string[] {
    const input = unleashContext({ at: 0 });
    return this.#features.flatMap((each) => {
      const error = this.#resolutionOf(each, input).metadata?.["error"];
      return error === undefined ? [] : [`${named(each.name)}: ${error}`];
    });
  }
}

const brokenBy = (error: string, metadata: Resolution["metadata"] = {}): Resolution => ({
  on: false,
  value: false,
  reason: "DEFAULT",
  metadata: { ...metadata, error },
});

/** Unleash's library without network, metrics or storage, on a fixed set of features. */
function offline(known: KnownFeatures, application: UnleashApplication): Unleash {
  const unleash = new Unleash({
    ...application,
    url: "http://localhost",
    instanceId: "tidegate",
    repository: known,
    disableMetrics: true,
    disableAutoStart: true,
    skipInstanceCountWarning: true,
  });
  // Without a listener, the library writes errors to the console.
  unleash.on(UnleashEvents.Error, () => {});
  known.emit(UnleashEvents.Ready);
  return unleash;
}

/** Feature repository of Unleash's library. */
class KnownFeatures extends EventEmitter {
  readonly #features: ReadonlyMap<string, UnleashFeature>;
  readonly #segments: ReadonlyMap<number, UnleashSegment>;

  constructor(features: readonly UnleashFeature[], segments: readonly UnleashSegment[]) {
    super();
    this.#features = new Map(features.map((feature) => [feature.name, feature]));
    this.#segments = new Map(segments.map((segment) => [segment.id, segment]));
  }

  getToggle(name: string): UnleashFeature | undefined {
    return this.#features.get(name);
  }

  getToggles(): UnleashFeature[] {
    return [...this.#features.values()];
  }

  getTogglesWithSegmentData(): [] {
    return [];
  }

  getSegment(id: number): UnleashSegment | undefined {
    return this.#segments.get(id);
  }

  async start(): Promise<void> {}

  stop(): void {}
}

/**
 * Names with a built-in value in constraints. Attributes with these names are dropped, so that clients cannot forge
 * them.
 */
const ownFields = new Set([
  "userId",
  "sessionId",
  "remoteAddress",
  "currentTime",
  "appName",
  "environment",
  "location",
]);

function unleashContext(context: EvaluationContext): Context {
  const { targetingKey, ip, at, attributes = {}, locations } = context;
  const userId = context.userId ?? context.claimedUserId;
  // Unleash has no nested properties.
  const own = Object.entries(attributes).filter(([name, value]) => !ownFields.has(name) && typeof value !== "object");
  return {
    ...(userId === undefined ? {} : { userId }),
    ...(targetingKey === undefined ? {} : { sessionId: targetingKey }),
    ...(ip === undefined ? {} : { remoteAddress: ip }),
    currentTime: new Date(at),
    properties: {
      ...Object.fromEntries(own.map(([name, value]) => [name, String(value)])),
      ...(locations?.[0] === undefined ? {} : { location: locations[0] }),
    },
  };
}

/** The parsed payload of a variant; `true` if it has none. */
function payloadOf({ payload }: Variant): Json {
  if (typeof payload?.value !== "string") return true;
  if (payload.type !== "json" && payload.type !== "number") return payload.value;
  try {
    return JSON.parse(payload.value);
  } catch {
    return payload.value;
  }
}

const reasonOf = ({ strategies }: UnleashFeature): Reason =>
  (strategies ?? []).every(
    ({ name, constraints, segments }) => name === "default" && !constraints?.length && !segments?.length,
  )
    ? "STATIC"
    : "TARGETING_MATCH";

const aboutOf = ({ project, type, impressionData }: UnleashFeature): Readonly<Record<string, Json>> => ({
  ...(typeof project === "string" ? { project } : {}),
  ...(typeof type === "string" ? { type } : {}),
  ...(impressionData === true ? { impressionData } : {}),
});
