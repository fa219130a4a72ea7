import { createHash } from "node:crypto";
import type { EventFilter } from "../../../domain/events/event.ts";
import { HttpProblem } from "./http-problem.ts";

const checksumLength = 16;

/** Cursor of the next page. Valid only with the filter that it was made for. */
export const cursorOf = (position: number, filter: EventFilter): string => textCursor(`${position}`, filter);

/** The position in a cursor. Throws `HttpProblem` `invalid-cursor` if the cursor belongs to another filter. */
export const positionOf = (cursor: string, filter: EventFilter): number => Number(positionIn(cursor, filter));

/** As `cursorOf`, for positions that are not numbers. */
export function textCursor(position: string, filter: unknown): string {
  const checksum = createHash("sha256")
    .update(JSON.stringify([position, filter]))
    .digest("base64url")
    .slice(0, checksumLength);
  return Buffer.from(`${checksum}${position}`).toString("base64url");
}

/** As `positionOf`, for a cursor of `textCursor`. */
export function positionIn(cursor: string, filter: unknown): string {
  const position = Buffer.from(cursor, "base64url").toString().slice(checksumLength);
  if (textCursor(position, filter) === cursor) return position;
  throw new HttpProblem(
    "invalid-cursor",
    "The cursor belongs to another request. Send it unchanged and with the same filters, or omit it.",
  );
}
