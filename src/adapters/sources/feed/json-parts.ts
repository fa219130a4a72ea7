import { isRounded, LongNumber } from "./long-number.ts";
import { flat, type Part, partsAt } from "./path.ts";

const maxDepth = 100;

/**
 * The parts of a JSON document at a path. Numbers that would be rounded become `LongNumber`. If the document is a list,
 * the path applies to each of its elements. Throws if the document is not JSON, is nested more than 100 levels deep, or
 * lacks a part of the path before the first list.
 */
export function* jsonParts(text: string, path: readonly string[]): Generator<Part> {
  demandFlat(text);
  const document = parsed(text);
  demandPath(document, path);
  for (const value of flat(document)) yield* partsAt({ value, of: undefined }, path);
}

function parsed(text: string): unknown {
  try {
    return longNumber.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
  } catch {
    // The parser's own message quotes the document.
    throw new Error("is invalid JSON");
  }
}

/** Numbers of 16 digits, or with an exponent. Most documents have none, and parse several times as fast. */
const longNumber = /\d[\d.]{15}|\d[eE]/;

/** The third argument holds the number's text; TypeScript does not declare it yet. */
function keepDigits(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number") return value;
  const text = context?.source ?? String(value);
  return isRounded(text, value) ? new LongNumber(text) : value;
}

/** Checked before parsing, because parsing a document of only brackets takes many times its size in memory. */
function demandFlat(text: string): void {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x22) index = endOfString(text, index);
    else if (code === 0x5b || code === 0x7b) depth += 1;
    else if (code === 0x5d || code === 0x7d) depth -= 1;
    if (depth > maxDepth) throw new Error(`is nested deeper than ${maxDepth} levels`);
  }
}

/** Index of the closing quote of the string that starts at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1) {
    let escapes = end - 1;
    while (text.charCodeAt(escapes) === 0x5c) escapes -= 1;
    if ((end - escapes) % 2 === 1) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

function demandPath(document: unknown, path: readonly string[]): void {
  let value = document;
  for (const name of path) {
    if (Array.isArray(value)) return;
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) {
      throw new Error(`has no ${path.join("/")}`);
    }
    value = (value as Record<string, unknown>)[name];
  }
  if (typeof value !== "object" || value === null) throw new Error(`has no items at ${path.join("/")}`);
}
