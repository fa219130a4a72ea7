import { createHash } from "node:crypto";
import { z } from "@hono/zod-openapi";
import { HttpProblem } from "../problems/http-problem.ts";
import { wholeNumber } from "./query.ts";

const checksumLength = 16;

/** The default length of a page. */
export const defaultLimit = 100;

/** The query parameters of a page of `items`. `same` names what else must be as for the previous page. */
export const pageQuery = (items: string, same = "") => ({
  limit: wholeNumber(1, 1_000).optional().describe(`Maximum number of ${items} (default: ${defaultLimit}).`),
  cursor: z.string().optional().describe(`\`next\` of the previous page${same}.`),
});

/** The cursor in the body of a page. */
export const nextCursor = z.string().optional().describe("The cursor of the next page. Absent on the last page.");

/** Cursor of the next page. Valid only with the filter that it was made for. */
export function cursorOf(position: string, filter: unknown): string {
  const checksum = createHash("sha256")
    .update(JSON.stringify([position, filter]))
    .digest("base64url")
    .slice(0, checksumLength);
  return Buffer.from(`${checksum}${position}`).toString("base64url");
}

/**
 * The position in a cursor; `undefined` without one. Throws `HttpProblem` `invalid-cursor` if the cursor belongs to
 * another filter.
 */
export function positionIn(cursor: string | undefined, filter: unknown): string | undefined {
  if (cursor === undefined) return undefined;
  const position = Buffer.from(cursor, "base64url").toString().slice(checksumLength);
  if (cursorOf(position, filter) === cursor) return position;
  throw new HttpProblem(
    "invalid-cursor",
    "The cursor belongs to another request. Send it unchanged and with the same filters, or omit it.",
  );
}
