import { LongNumber } from "./long-number.ts";

/** A path into a document: first so many levels up, then down through these names. */
export type Path = { readonly up: number; readonly names: readonly string[] };

/** Something that has parts of its own, and what it is part of. Lists are no such thing: what is in one is part of what has the list. */
export type Part = { readonly value: unknown; readonly of: Part | undefined };

/** What a path may lead to that has no parts. */
export type Scalar = string | number | boolean | LongNumber;

/** Reads a path: names with `/` between them, `..` for the way up, `.` for what it begins at. Answers what is wrong with another text. */
export function parsePath(text: string): Path | string {
  const steps = text === "." ? [] : text.split("/");
  const names = steps.slice(steps.lastIndexOf("..") + 1);
  const up = steps.length - names.length;
  if (steps.slice(0, up).some((step) => step !== "..")) return "goes up behind a name; write all `..` first";
  if (names.some((name) => name === "" || name === ".")) {
    return "is no path; write names with / between them, as in events/event, and .. for the way up";
  }
  return { up, names };
}

/** What is at a name of a part; of a list, each thing in it. Only what stands in the document itself is found. */
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

/** The things in a list, and in lists in it; what is no list is the only thing. */
export function* flat(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) for (const each of value) yield* flat(each);
  else yield value;
}

/** The texts, numbers and truth values that a path leads to from a part. */
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

/** An XML element with attributes has its text beside them. */
const isElementWithText = (value: unknown): value is { readonly "#text": unknown } =>
  typeof value === "object" && value !== null && Object.hasOwn(value, "#text");
