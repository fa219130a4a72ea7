import { MemoryStorage } from "@openfeature/flagd-core";
import { z } from "zod";
import { isServedKey, type Json, servedKeyRule } from "../../../domain/evaluation/feature.ts";
import { misspellings } from "./flag-faults.ts";
import { referenceIn } from "./segments.ts";
import { silent } from "./silent-log.ts";
import { isMap, mapped } from "./targeting.ts";

const reference = "https://flagd.dev/reference/flag-definitions/";

const metadata = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

// Accepts unknown members, as flagd does.
const flag = z
  .looseObject({
    state: z.enum(["ENABLED", "DISABLED"]).describe("A disabled flag is off for everyone."),
    variants: z
      .record(z.string().min(1), z.json())
      .refine((variants) => Object.keys(variants).length > 0, "has no variant; give it one, as in on: true")
      .describe("Values by name, all of one type."),
    defaultVariant: z.string().optional().describe("The variant if targeting returns none. Default: the flag is off."),
    targeting: z.record(z.string(), z.json()).optional().describe("A rule that returns the name of a variant."),
    metadata: metadata.optional().describe("Metadata of the flag, shown in explanations."),
  })
  .refine(({ defaultVariant, variants }) => defaultVariant === undefined || Object.hasOwn(variants, defaultVariant), {
    path: ["defaultVariant"],
    error: "is not one of its variants; name one of them",
  });

/** Schema of flagd's flag definitions in the configuration; reports each fault at its path. */
export const flagdDefinitions = z
  .looseObject({
    $schema: z.string().optional().describe("For editors."),
    $evaluators: z
      .record(z.string().min(1), z.record(z.string(), z.json()))
      .optional()
      .describe("Rules by name, for use as `$ref: name`."),
    metadata: metadata.optional().describe("Metadata of all flags, shown in explanations."),
    flags: z
      .record(z.string().refine(isServedKey, `invalid feature key (expected ${servedKeyRule})`), flag)
      .describe("The flags, by feature key."),
  })
  .superRefine((definitions, context) => {
    for (const key of Object.keys(definitions.flags)) {
      const fault = faultIn(definitions.flags[key] as Json, definitions.$evaluators);
      if (fault) context.addIssue({ code: "custom", ...fault, path: ["flags", key, ...fault.path] });
    }
  });

/** Schema of one flag in the store: stricter than flagd, because the flag can still be corrected. */
export const storedFlag = flag.superRefine((definition, context) => {
  for (const { name, suggestion } of misspellings(definition as Json))
    context.addIssue({ code: "custom", path: [name], message: `is ignored by flagd; write ${suggestion}` });
  const fault = faultIn(withoutReferences(definition as Json)) ?? missingVariant(definition);
  if (fault) context.addIssue({ code: "custom", ...fault });
});

/** Schema of one segment in the store. */
export const storedSegment = z.record(z.string(), z.json()).superRefine((rule, context) => {
  const targeting = { if: [withoutReferences(rule), "on"] };
  const fault = faultIn({ state: "ENABLED", variants: { on: true }, targeting });
  if (fault) context.addIssue({ code: "custom", ...fault, path: fault.path.slice(3) });
});

type Fault = { readonly path: PropertyKey[]; readonly message: string };

/** An error of flagd's schema check; its library returns the errors of Ajv. */
type SchemaError = {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message: string;
};

/**
 * The first fault of one flag by flagd's schema, with its path in the flag. The schema reports errors for every
 * alternative; the deepest error is the most likely one.
 */
function faultIn(definition: Json | undefined, $evaluators: Json = {}): Fault | undefined {
  // The default variant is checked before.
  const { defaultVariant: _, ...flag } = definition !== undefined && isMap(definition) ? definition : {};
  // Under a fixed name, because flagd's schema rejects line separators in keys.
  const checked = { $evaluators, flags: { flag } };
  const storage = new MemoryStorage(silent, { disableDynamicCodeGeneration: true });
  try {
    storage.setConfigurations(JSON.stringify(checked, withWholeVersions), true);
    return undefined;
  } catch (error) {
    const [deepest] = errorsIn(error).toSorted(
      (a, b) => stepsIn(b.instancePath).length - stepsIn(a.instancePath).length,
    );
    if (!deepest) return { path: [], message: `is invalid; see ${reference}` };
    return { path: pathOf(deepest.instancePath, checked).slice(2), message: messageOf(deepest) };
  }
}

/** flagd's library accepts `2.3` for `2.3.0` in versions; its schema does not. */
function withWholeVersions(operation: string, operands: Json): Json {
  if (operation !== "sem_ver" || !Array.isArray(operands)) return operands;
  const whole = (version: string) => `${version}.0.0`.split(".").slice(0, 3).join(".");
  return operands.map((operand) =>
    typeof operand === "string" && /^\d+(\.\d+)?$/.test(operand) ? whole(operand) : operand,
  );
}

/** References to segments are valid everywhere, even before the segment exists. */
function withoutReferences(rule: Json): Json {
  if (referenceIn(rule) !== undefined) return { var: "targetingKey" };
  if (Array.isArray(rule)) return rule.map(withoutReferences);
  return isMap(rule) ? mapped(rule, withoutReferences) : rule;
}

/** The first literal result of a flag's targeting that is not one of its variants. */
function missingVariant({ targeting, variants }: z.output<typeof flag>): Fault | undefined {
  const [missing] = resultsIn(targeting ?? null, ["targeting"]).filter(({ name }) => !Object.hasOwn(variants, name));
  return missing && { path: missing.path, message: "is not one of its variants; name one of them" };
}

type Result = { readonly name: string; readonly path: PropertyKey[] };

/** The names that a rule returns literally, each with its path. */
function resultsIn(rule: Json, path: PropertyKey[]): readonly Result[] {
  if (typeof rule === "string") return [{ name: rule, path }];
  if (!isMap(rule)) return [];
  const { if: branches, fractional: buckets } = rule;
  if (Array.isArray(branches)) {
    const isResult = (index: number) => index % 2 === 1 || index === branches.length - 1;
    return branches.flatMap((branch, index) => (isResult(index) ? resultsIn(branch, [...path, "if", index]) : []));
  }
  if (!Array.isArray(buckets)) return [];
  return buckets.flatMap((bucket, index) =>
    Array.isArray(bucket) ? resultsIn(bucket[0] ?? null, [...path, "fractional", index, 0]) : [],
  );
}

function errorsIn(error: unknown): readonly SchemaError[] {
  try {
    const { message } = error as Error;
    return JSON.parse(message.slice(message.indexOf("[")));
  } catch {
    return [];
  }
}

const stepsIn = (pointer: string): readonly string[] =>
  pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

/** Converts a JSON pointer to a path; indices become numbers. */
function pathOf(pointer: string, root: Json): PropertyKey[] {
  let inner: unknown = root;
  return stepsIn(pointer).map((step) => {
    const key = Array.isArray(inner) ? Number(step) : step;
    inner = (inner as Record<PropertyKey, unknown> | undefined)?.[key];
    return key;
  });
}

function messageOf({ keyword, params, message }: SchemaError): string {
  switch (keyword) {
    case "additionalProperties":
      if (params["additionalProperty"] === "$ref") return "is not in $evaluators; define it there, or name another";
      return `"${params["additionalProperty"]}" is not an operation of flagd; see ${reference}`;
    case "enum":
      return `is invalid (expected one of ${[params["allowedValues"]].flat().join(", ")})`;
    case "pattern":
      return `has an invalid form; see ${reference}`;
    default:
      return `is invalid: it ${message}; see ${reference}`;
  }
}
