import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { NewEvent } from "../../../domain/events/event.ts";
import type { RecordedEvent } from "../../../domain/events/event-log.ts";

/** The hashed content of an event. */
export type HashedEvent = NewEvent & Partial<Pick<RecordedEvent, "change">>;

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Hash of the empty text, the predecessor of the first event. */
export const emptyHash = sha256("");

/** Years 0 to 275760, the range that both JavaScript and PostgreSQL support. */
const earliest = -62_167_219_200_000;
const latest = 8_640_000_000_000_000;
const writtenNul = /(?<!\\)(?:\\\\)*\\u0000/;

/**
 * The content of an event as canonical JSON (RFC 8785): an object of `id`, `component`, `environment`, `email`,
 * `message`, `data`, `at` in milliseconds, `recordedBy` and, for a change, `change`. Throws an error that names what no
 * database stores unchanged: a NUL character, a lone surrogate, a time that is not an integer.
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
  if (!Number.isSafeInteger(at) || at < earliest || at > latest) throw new Error("invalid time");
  const content = { id, component, environment, email, message, data, at, recordedBy };
  const text =
    canonicalize(change ? { ...content, change: { store: change.store, record: change.record } } : content) ?? "";
  if (writtenNul.test(text)) throw new Error("contains a NUL character");
  return text;
}

/** SHA-256 of the previous hash, the position and the content, one per line. */
export const hashOf = (previous: string, position: number, content: string): string =>
  sha256(`${previous}\n${position}\n${content}`);

/** Whether two events have the same change record, or none. The name of its store may differ. */
export const isSameChange = (one: Pick<HashedEvent, "change">, other: Pick<HashedEvent, "change">): boolean =>
  canonicalize(one.change?.record) === canonicalize(other.change?.record);
