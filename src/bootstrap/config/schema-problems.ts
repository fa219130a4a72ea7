import { z } from "zod";
import type { ConfigProblem } from "../../infrastructure/config-error.ts";
import { type Path, pathText, type YamlFile } from "./yaml-file.ts";

type Issue = z.core.$ZodIssue;

/** Validates a part of a YAML file against a schema. Adds the problems to `problems`. */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  file: YamlFile,
  path: Path,
  problems: ConfigProblem[],
): z.output<Schema> | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues.flatMap(insideUnion)) {
    const where = [...path, ...issue.path];
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) {
        const fault = `unknown option (expected one of ${optionsAt(schema, issue.path, value).join(", ")})`;
        problems.push({ place: file.positionOfKey(where, key), path: pathText([...where, key]), fault });
      }
    } else {
      problems.push({
        place: file.positionOf(where),
        path: pathText(where),
        fault: faultOf(issue, at(value, issue.path)),
      });
    }
  }
  return undefined;
}

/** The issues of the only option of a union that the value resembles, such as a map with a wrong entry. */
function insideUnion(issue: Issue): readonly Issue[] {
  if (issue.code !== "invalid_union") return [issue];
  const resembling = issue.errors.filter((issues) =>
    issues.every(({ code, path }) => path.length > 0 || code === "unrecognized_keys"),
  );
  if (resembling.length !== 1) return [issue];
  return resembling.flat().flatMap((inner) => insideUnion({ ...inner, path: [...issue.path, ...inner.path] }));
}

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inner, step) => (inner as Record<PropertyKey, unknown> | undefined)?.[step], value);

function faultOf(issue: Issue, input: unknown): string {
  if (input === undefined && issue.code !== "custom") return `missing (expected ${expected(issue)})`;
  switch (issue.code) {
    case "invalid_type":
    case "invalid_union":
    case "invalid_value":
      return `${quoted(input)} is invalid (expected ${expected(issue)})`;
    case "too_small":
      return `${quoted(input)} is too ${isSized(issue) ? "short" : "small"} (minimum ${issue.minimum})`;
    case "too_big":
      return `${quoted(input)} is too ${isSized(issue) ? "long" : "large"} (maximum ${issue.maximum})`;
    case "invalid_key":
    case "invalid_element":
      return issue.issues.map(({ message }) => message).join("; ");
    default:
      return issue.message;
  }
}

/** Whether a minimum or maximum is a length. */
const isSized = ({ origin }: { readonly origin: string }): boolean => origin === "string" || origin === "array";

const typeNames: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  object: "a map of options",
  record: "a map",
  string: "a string",
};

function expected(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return typeNames[issue.expected] ?? `a ${issue.expected}`;
    case "invalid_value":
      return issue.values.map(String).join(" or ");
    case "invalid_union":
      return "options" in issue && Array.isArray(issue.options)
        ? `one of ${issue.options.join(", ")}`
        : [...new Set(issue.errors.flat().map(expected))].join(", or ");
    default:
      return "a value";
  }
}

/** The value for a message. URLs are not quoted, because they may contain a password. */
function quoted(input: unknown): string {
  if (Array.isArray(input)) return "a list";
  if (typeof input === "object") return "a map";
  const text = JSON.stringify(input) ?? String(input);
  if (text.includes("://")) return "a URL";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** The keys that the schema allows in the map at `path`. */
function optionsAt(schema: z.core.$ZodType, path: Path, value: unknown): string[] {
  const step = path[0];
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return optionsAt(schema.unwrap(), path, value);
  }
  if (schema instanceof z.ZodPipe && schema.in instanceof z.ZodTransform) return optionsAt(schema.out, path, value);
  if (schema instanceof z.ZodDiscriminatedUnion && step === undefined) {
    const { discriminator } = schema.def;
    const chosen = (value as Record<string, unknown>)[discriminator];
    const option = schema.options.find(
      (candidate) => candidate instanceof z.ZodObject && candidate.shape[discriminator].safeParse(chosen).success,
    );
    return option ? optionsAt(option, path, value) : [];
  }
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => optionsAt(option, path, value));
  const inner = step === undefined ? undefined : (value as Record<PropertyKey, unknown>)[step];
  if (schema instanceof z.ZodObject) {
    return step === undefined
      ? Object.keys(schema.shape)
      : optionsAt(schema.shape[step as string], path.slice(1), inner);
  }
  if (schema instanceof z.ZodRecord && step !== undefined) return optionsAt(schema.valueType, path.slice(1), inner);
  if (schema instanceof z.ZodArray && step !== undefined) return optionsAt(schema.element, path.slice(1), inner);
  return [];
}
