import { LongNumber } from "./long-number.ts";

/** A path in a document: a number of levels up, then names down. */
export type Path = { readonly up: number; readonly names: readonly string[] };

/**
 * A value and the object that contains it. Lists are transparent: the parent of an element is the object with the list.
 */
export type Part = { readonly value: unknown; readonly of: Part | undefined };

/** A value without parts. */
export type Scalar = string | number | boolean | LongNumber;

/**
 * Parses a path: names separated by `/`, `..` for a level up, `.` for the start itself. Returns the fault of an invalid
 * path.
 */
export function parsePath(text: string): Path | string {
  const steps = text === "." ? [] : text.split("/");
  const names = steps.slice(steps.lastIndexOf("..") + 1);
  const up = steps.length - names.length;
  if (steps.slice(0, up).some((step) => step !== "..")) return "invalid path (put all `..` first)";
  if (names.some((name) => name === "" || name === ".")) {
    return "invalid path (expected names separated by /, for example events/event, and .. for the parent)";
  }
  return { up, names };
}

/** The values at a path of names below a part; every element of a list counts. Reads own properties only. */
export function* partsAt(part: Part, names: readonly string[]): Generator<Part> {
  const [name, ...rest] = names;
  if (name === undefined) yield part;
  else for (const each of partsIn(part, name)) yield* partsAt(each, rest);
}

function* partsIn(part: Part, name: string): Generator<Part> {
  const { value } = part;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return;
  for (const each of flat((value as Record<string, unknown>)[name])) yield { value: each, of: part };
}

/** Flattens nested lists. A value that is not a list is returned as the only element. */
export function* flat(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) for (const each of value) yield* flat(each);
  else yield value;
}

/** The scalars at a path from a part. */
export function* scalarsAt(part: Part, { up, names }: Path): Generator<Scalar> {
  let from: Part | undefined = part;
  for (let level = 0; level < up; level++) from = from?.of;
  if (!from) return;
  for (const { value } of partsAt(from, names)) {
    const scalar = isElementWithText(value) ? value["#text"] : value;
    if (isScalar(scalar)) yield scalar;
  }
}

const isScalar = (value: unknown): value is Scalar =>
  ["string", "number", "boolean"].includes(typeof value) || value instanceof LongNumber;

/** An XML element with attributes has its text in `#text`. */
const isElementWithText = (value: unknown): value is { readonly "#text": unknown } =>
  typeof value === "object" && value !== null && Object.hasOwn(value, "#text");
