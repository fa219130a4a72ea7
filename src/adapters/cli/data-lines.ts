import { z } from "zod";
import type { DataLine, SetLine, TokenLine } from "../../application/transfer/data-line.ts";
import { instantText } from "../../domain/evaluation/evaluation-context.ts";
import type { Json } from "../../domain/evaluation/feature.ts";
import { instant } from "../instant.ts";
import { faultOf } from "../schema-faults.ts";

const header = z.strictObject({ tidegate: z.literal(1), pepper: z.string().exactOptional() });

/** Schemas of a line, by the member name that identifies its type. */
const shapes = {
  tidegate: header,
  set: z.strictObject({ set: z.string(), connection: z.string().exactOptional(), features: z.array(z.string()) }),
  token: z.strictObject({ token: z.string(), user: z.string() }),
  tokenDigest: z.strictObject({ tokenDigest: z.string(), user: z.string() }),
  catalogue: z.strictObject({
    catalogue: z.string(),
    description: z.string().max(2_000).default(""),
    owner: z.string().max(200).default(""),
    tags: z.array(z.string().min(1).max(50)).max(20).default([]),
    archived: z.boolean().default(false),
    created: instant().exactOptional(),
  }),
  rule: z.strictObject({ rule: z.json() as z.ZodType<Json>, source: z.string(), feature: z.string() }),
} satisfies Readonly<Record<string, z.ZodType<DataLine>>>;
const names = Object.keys(shapes) as (keyof typeof shapes)[];

/** Parses a line, or returns its fault. The fault never contains a token. */
export function lineIn(text: string): { readonly line: DataLine } | { readonly fault: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { fault: "invalid JSON (expected one object per line)." };
  }
  if (isCommon(value)) return { line: value };
  const name = typeof value === "object" && value !== null ? names.find((each) => each in Object(value)) : undefined;
  if (!name) return { fault: `unknown line (expected an object with one of the members ${names.join(", ")}).` };
  const result = shapes[name].safeParse(value);
  if (result.success) return { line: result.data };
  const faults = result.error.issues.flatMap((issue) => faultOf(issue, value));
  return { fault: `${faults.map(({ pointer, detail }) => `${pointer} ${detail}`).join("; ")}.` };
}

/** Whether a value is a set line or a token line as most are: a file has millions, and a schema takes far longer. */
function isCommon(value: unknown): value is SetLine | TokenLine {
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 2) return false;
  const { set, features, token, user } = value as Readonly<Record<string, unknown>>;
  return isString(set) ? Array.isArray(features) && features.every(isString) : isString(token) && isString(user);
}

const isString = (value: unknown): value is string => typeof value === "string";

/** Serializes a line. */
export const lineText = (line: DataLine): string =>
  JSON.stringify(
    "created" in line && line.created !== undefined ? { ...line, created: instantText(line.created) } : line,
  );
