import type { Context } from "hono";
import type { z } from "zod";
import type { ValueFault } from "../../../domain/errors.ts";
import { faultOf, pointerStep } from "../../schema-faults.ts";
import { HttpProblem } from "../problems/http-problem.ts";

/** Default maximum body size, in bytes. */
const maxBytes = 131_072;
/** Maximum nesting depth of arrays and objects. */
const maxDepth = 32;
/** Maximum number of faults in one response. */
const maxFaults = 20;

const plainJson = /^application\/json *(; *charset="?utf-8"? *)?$/i;
const names = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g;

/**
 * Parses and validates the JSON body of a request; stops reading after `limit` bytes. Throws `HttpProblem`:
 * `unsupported-media-type`, `payload-too-large`, `invalid-json`, or `validation-failed` with all faults.
 *
 * Rejects text with a NUL character or an unpaired surrogate, which stores do not preserve, and numbers that would lose
 * digits.
 */
export async function jsonBody<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
  limit = maxBytes,
): Promise<z.output<Schema>> {
  if (!plainJson.test(c.req.header("content-type") ?? "")) {
    throw closing(
      "unsupported-media-type",
      "The body is not declared as JSON. Send it with Content-Type: application/json.",
    );
  }
  if (!/^(identity)?$/i.test(c.req.header("content-encoding") ?? "")) {
    throw closing("unsupported-media-type", "The body is compressed. Send it without Content-Encoding.");
  }
  const value = parsed(await bytesOf(c, limit));
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(result.error.issues.flatMap((issue) => faultOf(issue, value)));
}

/** Whether a request has a body. */
export const hasBody = (c: Context): boolean =>
  c.req.header("transfer-encoding") !== undefined || Number(c.req.header("content-length") ?? 0) > 0;

/** Closes the connection: the unread rest of the body would precede the next request. */
const closing = (code: "unsupported-media-type" | "payload-too-large", detail: string): HttpProblem =>
  new HttpProblem(code, detail, { Connection: "close" });

async function bytesOf(c: Context, limit: number): Promise<Uint8Array> {
  const tooLarge = () => closing("payload-too-large", `The body is larger than ${limit} bytes. Split the request.`);
  if (Number(c.req.header("content-length") ?? 0) > limit) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of c.req.raw.body ?? []) {
      size += chunk.length;
      if (size > limit) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof HttpProblem) throw cause;
    throw new HttpProblem("bad-request", "The body is incomplete. Send it again.");
  }
  return Buffer.concat(chunks);
}

function parsed(bytes: Uint8Array): unknown {
  let value: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch {
    throw new HttpProblem("invalid-json", "The body is not JSON in UTF-8.");
  }
  const { faults, members } = inspected(value);
  if (faults.length > 0) throw invalid(faults);
  // The parser keeps the last of two members with one name, so the text then has more names than the result.
  if ([...text.matchAll(names)].filter(([, colon]) => colon !== undefined).length !== members) {
    throw new HttpProblem("invalid-json", "The body repeats a member of an object. Name each member once.");
  }
  return value;
}

/** Checks common to all schemas. Iterative, because a body can be nested deeper than the call stack allows. */
function inspected(body: unknown): { readonly faults: readonly ValueFault[]; readonly members: number } {
  const faults: ValueFault[] = [];
  const open = [{ value: body, pointer: "", depth: 0 }];
  let members = 0;
  // The loop appends to the list it iterates.
  for (const { value, pointer, depth } of open) {
    const detail = scalarFault(value) ?? (depth > maxDepth ? `is nested deeper than ${maxDepth} levels` : undefined);
    if (detail) faults.push({ pointer, detail: `${detail}; omit it, or encode it as text` });
    if (detail || typeof value !== "object" || value === null) continue;
    for (const [name, inner] of Object.entries(value)) {
      if (name === "__proto__") throw new HttpProblem("invalid-json", "The body has a member __proto__. Rename it.");
      if (!Array.isArray(value)) members += 1;
      const innerPointer = pointer + pointerStep(name);
      const fault = scalarFault(name);
      if (fault) faults.push({ pointer: innerPointer, detail: `its name ${fault}; rename it` });
      open.push({ value: inner, pointer: innerPointer, depth: depth + 1 });
    }
  }
  return { faults, members };
}

function scalarFault(value: unknown): string | undefined {
  if (typeof value === "string") {
    if (value.includes("\0")) return "has a NUL character";
    return value.isWellFormed() ? undefined : "has an unpaired surrogate";
  }
  if (typeof value !== "number") return undefined;
  const keepsDigits = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
  return keepsDigits ? undefined : "is a number that would lose digits";
}

function invalid(faults: readonly ValueFault[]): HttpProblem {
  const reported = faults.slice(0, maxFaults);
  const sentences = reported.slice(0, 3).map(({ pointer, detail }) => `${pointer || "the body"} ${detail}`);
  const more = faults.length > sentences.length ? `; and ${faults.length - sentences.length} more` : "";
  return new HttpProblem("validation-failed", `${sentences.join("; ")}${more}.`, {}, reported);
}
