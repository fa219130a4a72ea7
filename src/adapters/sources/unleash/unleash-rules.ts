import { EventEmitter } from "node:events";
import { type Context, Unleash, UnleashEvents, type Variant } from "unleash-client";
import type { EvaluationContext } from "../../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey, Json, Reason, Resolution } from "../../../domain/evaluation/feature.ts";
import type { SourceResult } from "../../../domain/evaluation/feature-resolver.ts";
import { named, type UnleashFeature, type UnleashSegment, unleashDocument } from "./unleash-document.ts";
import { Volatility } from "./volatility.ts";

/** What Unleash calls the client that asks. */
export type UnleashApplication = { readonly appName: string; readonly environment: string };

/** The features of an Unleash server as its clients get them, evaluated by its own library. They never change. */
export class UnleashRules {
  readonly #unleash: Unleash;
  readonly #features: readonly UnleashFeature[];
  readonly #volatility: Volatility;
  /** What is said of features that cannot be evaluated. */
  readonly #broken: ReadonlyMap<FeatureKey, Resolution>;
  /** Faults of single features, each with the name of its feature. Those that cannot be evaluated are off. */
  readonly faults: readonly string[];

  /** Throws, with the reason, where the document cannot be used as a whole. */
  constructor(content: unknown, application: UnleashApplication) {
    const { features, segments, broken, faults } = unleashDocument(content);
    this.#features = features;
    this.#broken = new Map([...broken].map(([name, error]) => [name, brokenBy(error)]));
    this.#volatility = new Volatility(features, segments);
    this.#unleash = offline(new KnownFeatures(features, segments), application);
    this.faults = [...faults, ...this.#trial()];
  }

  /** Of a text of JSON. Throws likewise. */
  static parse(text: string, application: UnleashApplication): UnleashRules {
    return new UnleashRules(JSON.parse(text), application);
  }

  answer(context: EvaluationContext): SourceResult {
    const asked = unleashContext(context);
    return {
      features: new Map([
        ...this.#broken,
        ...this.#features.map((each) => [each.name, this.#resolutionOf(each, asked)] as const),
      ]),
      ...this.#volatility.of(context.at, asked),
    };
  }

  #resolutionOf(feature: UnleashFeature, context: Context): Resolution {
    const metadata = aboutOf(feature);
    if (!feature.enabled) return { on: false, value: false, reason: "DISABLED", metadata };
    try {
      const { feature_enabled: on = false, ...variant } = this.#unleash.getVariant(feature.name, context);
      if (!on) return { on, value: false, reason: "DEFAULT", metadata };
      if (variant.enabled) return { on, value: payloadOf(variant), variant: variant.name, reason: "SPLIT", metadata };
      return { on, value: true, reason: reasonOf(feature), metadata };
    } catch (error) {
      return brokenBy(String(error), metadata);
    }
  }

  /** The faults that one evaluation of all features brings up. */
  #trial(): readonly string[] {
    const asked = unleashContext({ at: 0 });
    return this.#features.flatMap((each) => {
      const error = this.#resolutionOf(each, asked).metadata?.["error"];
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

/** Unleash's library, over what is known already: it asks nobody, tells nobody, and keeps nothing. */
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
  // It would write them to the console otherwise.
  unleash.on(UnleashEvents.Error, () => {});
  known.emit(UnleashEvents.Ready);
  return unleash;
}

/** Where Unleash's library looks features up. */
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

/** What constraints may read by these names is never an attribute, so that nobody can say who they are. */
const ownFields = new Set([
  "userId",
  "sessionId",
  "remoteAddress",
  "currentTime",
  "appName",
  "environment",
  "location",
]);

function unleashContext({ userId, targetingKey, ip, at, attributes = {}, locations }: EvaluationContext): Context {
  const own = Object.entries(attributes).filter(([name]) => !ownFields.has(name));
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

/** The payload as it is meant; `true` where the variant has none. */
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

const aboutOf = ({ project, type }: UnleashFeature): Readonly<Record<string, Json>> => ({
  ...(typeof project === "string" ? { project } : {}),
  ...(typeof type === "string" ? { type } : {}),
});
