import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { NewEvent } from "../../../domain/events/event.ts";
import type { RecordedEvent } from "../../../domain/events/event-log.ts";

/** What an event says, of itself or of a change. */
export type HashedEvent = NewEvent & Partial<Pick<RecordedEvent, "change">>;

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The hash of nothing, which the first event of a log goes on from. */
export const emptyHash = sha256("");

/** The years 0 to 275760, which JavaScript and PostgreSQL both have. */
const earliest = -62_167_219_200_000;
const latest = 8_640_000_000_000_000;
const writtenNul = /(?<!\\)(?:\\\\)*\\u0000/;

/**
 * What an event says, as the one text that it has in canonical JSON (RFC 8785): an object of `id`, `component`,
 * `environment`, `email`, `message`, `data`, `at` in milliseconds, `recordedBy` and, of a change, `change`. Throws an error that
 * says what of it no database keeps as it is: a NUL character, half a character, a time that is no whole number.
 */
export function contentOf({
  id,
  component,
  environment,
  email,
  message,
  data,
  at,
  recordedBy,
  change,
}: HashedEvent): string {
  if (!Number.isSafeInteger(at) || at < earliest || at > latest) throw new Error("its time is none");
  const said = { id, component, environment, email, message, data, at, recordedBy };
  const text = canonicalize(change ? { ...said, change: { store: change.store, record: change.record } } : said) ?? "";
  if (writtenNul.test(text)) throw new Error("it has a NUL character");
  return text;
}

/** SHA-256 over the hash of the event before, the position of this one and what it says, a line each. */
export const hashOf = (previous: string, position: number, content: string): string =>
  sha256(`${previous}\n${position}\n${content}`);

/** Whether two events have the same record of a change, or none; its store may be known by another name since. */
export const isSameChange = (one: Pick<HashedEvent, "change">, other: Pick<HashedEvent, "change">): boolean =>
  canonicalize(one.change?.record) === canonicalize(other.change?.record);
