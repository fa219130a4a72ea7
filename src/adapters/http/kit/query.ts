import { z } from "@hono/zod-openapi";
import { HttpProblem } from "./http-problem.ts";
import { faultOf } from "./schema-faults.ts";

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
      throw refused(name, `is not known here; ${known ? `there are ${known}` : "leave it out"}`);
    }
    if (parameters.getAll(name).length > 1) throw refused(name, "is given twice; give it once");
    if (value.trim() === "") throw refused(name, "is blank; give it a value, or leave it out");
    if (controlCharacter.test(value)) throw refused(name, "has control characters, or is not UTF-8; mend its encoding");
  }
  const given = Object.fromEntries(parameters);
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const [fault] = issue ? faultOf(issue, given) : [];
  throw refused(fault?.pointer.slice(1) ?? "", fault?.detail ?? "is not what it may be");
}

const refused = (name: string, fault: string): HttpProblem =>
  new HttpProblem("invalid-query", `The query parameter ${JSON.stringify(name.slice(0, 100))} ${fault}.`);

/** Schema of an integer in a query. */
export function wholeNumber(least: number, most: number) {
  const fault = `is no whole number from ${least} to ${most}; send one`;
  const isInRange = (number: number) => number >= least && number <= most;
  return z
    .string()
    .regex(/^\d{1,15}$/, { error: fault, abort: true })
    .transform(Number)
    .refine(isInRange, fault)
    .openapi({ type: "integer", minimum: least, maximum: most });
}
