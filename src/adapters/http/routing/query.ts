import { z } from "@hono/zod-openapi";
import { faultOf } from "../../schema-faults.ts";
import { HttpProblem } from "../problems/http-problem.ts";

/** The schema of a query without parameters. */
export const noQuery = z.strictObject({});

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const controlCharacter = /[\u0000-\u001f\u007f\ufffd]/;

/**
 * Parses and validates the query of a URL. Throws `HttpProblem` `invalid-query`, with the name in the detail, for a
 * parameter that is unknown, repeated, blank or invalid.
 */
export function queryOf<Schema extends z.ZodObject>(url: string, schema: Schema): z.output<Schema> {
  const parameters = new URL(url).searchParams;
  for (const [name, value] of parameters) {
    if (!Object.hasOwn(schema.shape, name)) {
      const known = Object.keys(schema.shape).join(", ");
      throw invalid(name, `is unknown; ${known ? `known are ${known}` : "omit it"}`);
    }
    if (parameters.getAll(name).length > 1) throw invalid(name, "is repeated; send it once");
    if (value.trim() === "") throw invalid(name, "is blank; send a value, or omit it");
    if (controlCharacter.test(value)) throw invalid(name, "has control characters or is not UTF-8; fix its encoding");
  }
  const input = Object.fromEntries(parameters);
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const [fault] = issue ? faultOf(issue, input) : [];
  throw invalid(fault?.pointer.slice(1) ?? "", fault?.detail ?? "is invalid");
}

const invalid = (name: string, fault: string): HttpProblem =>
  new HttpProblem("invalid-query", `The query parameter ${JSON.stringify(name.slice(0, 100))} ${fault}.`);

/** Schema of an integer in a query. */
export function wholeNumber(min: number, max: number) {
  const fault = `is invalid (expected an integer from ${min} to ${max})`;
  const isInRange = (number: number) => number >= min && number <= max;
  return z
    .string()
    .regex(/^\d{1,15}$/, { error: fault, abort: true })
    .transform(Number)
    .refine(isInRange, fault)
    .openapi({ type: "integer", minimum: min, maximum: max });
}
