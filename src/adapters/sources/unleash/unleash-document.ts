import type { ClientFeaturesResponse } from "unleash-client";
import { defaultStrategies } from "unleash-client/lib/strategy/index.js";
import { z } from "zod";
import { type FeatureKey, isServedKey, servedKeyRule } from "../../../domain/evaluation/feature.ts";

export type UnleashFeature = ClientFeaturesResponse["features"][number];
export type UnleashSegment = NonNullable<ClientFeaturesResponse["segments"]>[number];

/** The features of an Unleash server, as `/api/client/features` returns them. */
export type UnleashDocument = {
  readonly features: readonly UnleashFeature[];
  readonly segments: readonly UnleashSegment[];
  /** The fault of each feature that cannot be evaluated. `features` does not contain them. */
  readonly broken: ReadonlyMap<FeatureKey, string>;
  /** Faults of single features, each with the feature's name. */
  readonly faults: readonly string[];
};

/** Operators that compare with a list. Unleash's library throws without a list. */
const listOperators = new Set(["IN", "NOT_IN", "STR_STARTS_WITH", "STR_ENDS_WITH", "STR_CONTAINS", "IN_CIDR"]);
/** Strategies that Unleash's library implements. All other strategies are off. */
const strategyNames: ReadonlySet<string> = new Set(defaultStrategies.map(({ name }) => name));

const list = <Schema extends z.ZodType>(schema: Schema) => z.array(schema).nullish();
const constraints = list(
  z
    .looseObject({ operator: z.string(), contextName: z.string(), values: list(z.string().nullable()) })
    .superRefine(({ operator, values }, context) => {
      if (values || !listOperators.has(operator)) return;
      context.addIssue({ code: "custom", path: ["values"], message: `missing (${operator} needs a list of texts)` });
    }),
);
const variants = list(z.looseObject({ name: z.string() }));
/** Of the strategies that the library implements, only `default` works without parameters. */
const strategy = z
  .looseObject({
    name: z.string(),
    parameters: z.looseObject({}).nullish(),
    constraints,
    segments: list(z.number()),
    variants,
  })
  .superRefine(({ name, parameters }, context) => {
    if (parameters || name === "default" || !strategyNames.has(name)) return;
    context.addIssue({ code: "custom", path: ["parameters"], message: `missing (${name} needs a map)` });
  });
const feature = z
  .looseObject({ name: z.string(), enabled: z.boolean(), strategies: list(strategy), variants })
  .superRefine(({ enabled, strategies }, context) => {
    // The library switches such a feature off without an error.
    if (strategies || !enabled) return;
    context.addIssue({ code: "custom", path: ["strategies"], message: "missing (expected a list)" });
  });
const segment = z.looseObject({ id: z.number(), constraints });

/** Members that occur only in Unleash's exports and in its admin API. `enabled` has another meaning there. */
const ofExports = ["featureStrategies", "featureEnvironments"];
const ofAdmin = z.looseObject({ environments: z.array(z.unknown()) });
const wanted = "expected the response of /api/client/features";

/** Parses a document. Throws, with the reason, if it has another format or no feature of it can be evaluated. */
export function unleashDocument(content: unknown): UnleashDocument {
  const { data, error } = z
    .looseObject({ features: z.array(z.unknown()), segments: list(z.unknown()) })
    .safeParse(content);
  if (error) throw new Error(`${faultOf(error)} (${wanted})`);
  if (ofExports.some((name) => name in data) || data.features.some((each) => ofAdmin.safeParse(each).success)) {
    throw new Error(`it is an export, or a response of Unleash's admin API (${wanted})`);
  }
  const [segments, brokenSegments] = segmentsIn(data.segments ?? []);
  const features: UnleashFeature[] = [];
  const broken = new Map<FeatureKey, string>();
  const faults: string[] = [];
  for (const [index, each] of data.features.entries()) {
    const name = nameOf(each);
    const fault = faultOfFeature(each, brokenSegments);
    if (fault === undefined) {
      features.push(each as UnleashFeature);
      faults.push(...strangeStrategies(each as UnleashFeature));
    } else {
      faults.push(`${name === undefined ? `features[${index}]` : named(name)}: ${fault}`);
      if (name !== undefined && isServedKey(name)) broken.set(name, fault);
    }
  }
  if (features.length === 0 && faults[0] !== undefined)
    throw new Error(`no feature is usable: ${faults[0]} (${wanted})`);
  return { features, segments, broken, faults };
}

/** The name of a feature in faults. */
export const named = (name: string): string => `feature ${JSON.stringify(name.slice(0, 200))}`;

function faultOfFeature(content: unknown, brokenSegments: ReadonlyMap<number, string>): string | undefined {
  const { data, error } = feature.safeParse(content);
  if (error) return faultOf(error);
  if (!isServedKey(data.name)) return `invalid key (expected ${servedKeyRule})`;
  const used = (data.strategies ?? []).flatMap(({ segments }) => segments ?? []);
  const id = used.find((each) => brokenSegments.has(each));
  return id === undefined ? undefined : `segment ${id}: ${brokenSegments.get(id)}`;
}

function segmentsIn(contents: readonly unknown[]): [readonly UnleashSegment[], ReadonlyMap<number, string>] {
  const segments: UnleashSegment[] = [];
  const broken = new Map<number, string>();
  for (const each of contents) {
    const { error } = segment.safeParse(each);
    const id = z.looseObject({ id: z.number() }).safeParse(each).data?.id;
    if (!error) segments.push(each as UnleashSegment);
    else if (id !== undefined) broken.set(id, faultOf(error));
  }
  return [segments, broken];
}

const strangeStrategies = ({ name, strategies }: UnleashFeature): readonly string[] =>
  (strategies ?? [])
    .filter((strategy) => !strategyNames.has(strategy.name))
    .map((strategy) => `${named(name)}: unknown strategy ${JSON.stringify(strategy.name)} is off`);

const nameOf = (content: unknown): string | undefined =>
  z.looseObject({ name: z.string() }).safeParse(content).data?.name;

function faultOf({ issues: [issue] }: z.ZodError): string {
  if (!issue) return "invalid";
  return issue.path.length > 0 ? `${z.core.toDotPath(issue.path)}: ${issue.message}` : issue.message;
}
