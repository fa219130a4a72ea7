import { createHash } from "node:crypto";
import type { EventFilter } from "../../domain/activity.ts";
import { HttpProblem } from "./problem.ts";

/** Where the next page begins. It fits the filter only that it was made for. */
export function cursorOf(position: number, filter: EventFilter): string {
  const checksum = createHash("sha256")
    .update(JSON.stringify([position, filter]))
    .digest("base64url")
    .slice(0, 16);
  return Buffer.from(`${position}.${checksum}`).toString("base64url");
}

/** The position that a cursor stands for. Throws `HttpProblem` `invalid-cursor` for one that was not made for this filter. */
export function positionOf(cursor: string, filter: EventFilter): number {
  const position = Number.parseInt(Buffer.from(cursor, "base64url").toString("latin1"), 10);
  if (cursorOf(position, filter) === cursor) return position;
  throw new HttpProblem(
    "invalid-cursor",
    "The cursor is not of a page of these filters; send it as it came, with the filters that it came for, or leave it out.",
  );
}
