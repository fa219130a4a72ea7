import { EventEmitter } from "node:events";
import { type ClientFeaturesResponse, type Context, Unleash, UnleashEvents, type Variant } from "unleash-client";
import { defaultStrategies } from "unleash-client/lib/strategy/index.js";
import { z } from "zod";
import type { EvaluationContext } from "../../domain/evaluation-context.ts";
import { isServedKey, type Json, type Reason, type Resolution } from "../../domain/feature.ts";
import type { Answer } from "../../domain/feature-resolver.ts";
import { Volatility } from "./volatility.ts";

type UnleashFeature = ClientFeaturesResponse["features"][number];
type UnleashSegment = NonNullable<ClientFeaturesResponse["segments"]>[number];

/** What Unleash calls the client that asks. */
export type UnleashApplication = { readonly appName: string; readonly environment: string };

const list = (schema: z.ZodType) => z.array(schema).nullish();
const constraints = list(z.looseObject({ operator: z.string(), contextName: z.string() }));

/** As much of a document as has to be so for anything to be said of it; Unleash's library takes care of the rest. */
const document = z.looseObject({
  features: z.array(z.unknown()),
  segments: list(z.looseObject({ id: z.number(), constraints })),
});
const feature = z.looseObject({
  name: z.string().refine(isServedKey),
  enabled: z.boolean(),
  strategies: list(
    z.looseObject({ name: z.string(), constraints, variants: list(z.looseObject({ name: z.string() })) }),
  ),
  variants: list(z.looseObject({ name: z.string() })),
});

/** The features of an Unleash server as its clients get them, evaluated by its own library. They never change. */
export class UnleashRules {
  readonly #unleash: Unleash;
  readonly #features: readonly UnleashFeature[];
  readonly #volatility: Volatility;
  /** What is wrong with single features, which are off or left out for it; a sentence each. */
  readonly faults: readonly string[];

  /** Throws, with the reason, where the document cannot be used as a whole. */
  constructor(content: unknown, application: UnleashApplication) {
    const { data, error } = document.safeParse(content);
    if (error) {
      const place = error.issues[0]?.path.join(".") || "the whole";
      throw new Error(`it is not what /api/client/features answers: ${place} does not fit`);
    }
    const faults: string[] = [];
    const features = data.features.flatMap((each, index) => {
      if (feature.safeParse(each).success) return [each as UnleashFeature];
      faults.push(`features[${index}] is no feature of Unleash`);
      return [];
    });
    const segments = (data.segments ?? []) as unknown as readonly UnleashSegment[];
    this.#features = features;
    this.#volatility = new Volatility(features, segments);
    this.#unleash = offline(new KnownFeatures(features, segments), application);
    this.faults = [...faults, ...this.#trial()];
  }

  /** Of a text of JSON. Throws likewise. */
  static parse(text: string, application: UnleashApplication): UnleashRules {
    return new UnleashRules(JSON.parse(text), application);
  }

  answer(context: EvaluationContext): Answer {
    const asked = unleashContext(context);
    return {
      features: new Map(this.#features.map((each) => [each.name, this.#resolutionOf(each, asked)])),
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
      return { on: false, value: false, reason: "DEFAULT", metadata: { ...metadata, error: String(error) } };
    }
  }

  /** What comes up when all are asked once. */
  #trial(): readonly string[] {
    const strange = this.#features.flatMap(({ name, strategies }) =>
      (strategies ?? [])
        .filter((strategy) => !strategyNames.has(strategy.name))
        .map((strategy) => `${name}: there is no strategy ${JSON.stringify(strategy.name)}`),
    );
    const broken = [...this.answer({ at: 0 }).features].flatMap(([name, { metadata }]) =>
      metadata?.["error"] === undefined ? [] : [`${name}: ${metadata["error"]}`],
    );
    return [...strange, ...broken];
  }
}

/** Those that Unleash's library knows. Of others it takes none to be fulfilled. */
const strategyNames: ReadonlySet<string> = new Set(defaultStrategies.map(({ name }) => name));

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
