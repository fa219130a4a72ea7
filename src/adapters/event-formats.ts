import type { Event } from "../domain/events/event.ts";
import { type EventJson, eventJson } from "./event-json.ts";

/** A formula for spreadsheets. Some drop white space and invisible characters before it, or narrow `＝`. */
const formula = /^(?:[\t\r\n]|[\s\p{Default_Ignorable_Code_Point}]*[=+\-@＝＋－＠])/u;

/** An export format: writes events one after the other. */
type EventFormat = {
  readonly type: string;
  /** Written before the first event. */
  readonly head: string;
  readonly line: (event: EventJson) => string;
};

const columns = [
  "position",
  "time",
  "component",
  "environment",
  "email",
  "message",
  "data",
  "recorded_by",
  "store",
  "key",
  "revision",
  "id",
  "created_at",
  "hash",
] as const satisfies readonly (keyof EventJson)[];

/**
 * The export formats. CSV is RFC 4180 with a header; `data` is a cell of JSON. A cell that a spreadsheet would run as a
 * formula gets a leading apostrophe.
 */
export const eventFormats = {
  ndjson: { type: "application/x-ndjson", head: "", line: (event) => `${JSON.stringify(event)}\n` },
  csv: {
    type: "text/csv",
    head: row(columns),
    line: (event) => row(columns.map((column) => textOf(event[column]))),
  },
} as const satisfies Readonly<Record<string, EventFormat>>;

export type EventFormatName = keyof typeof eventFormats;

/** Bytes of an export. Writes one page of events at a time, once the reader has taken the one before. */
export async function* written(
  pages: AsyncIterable<readonly Event[]>,
  format: EventFormatName,
): AsyncGenerator<Uint8Array> {
  const { head, line } = eventFormats[format];
  if (head) yield Buffer.from(head);
  for await (const page of pages) yield Buffer.from(page.map((event) => line(eventJson(event))).join(""));
}

const textOf = (value: EventJson[keyof EventJson]): string =>
  typeof value === "object" ? JSON.stringify(value) : String(value ?? "");

function row(cells: readonly string[]): string {
  return `${cells.map(cell).join(",")}\r\n`;
}

function cell(text: string): string {
  const harmless = formula.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
