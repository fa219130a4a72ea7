import { v5 as uuidv5 } from "uuid";
import { isServedKey, isWritableKey, type Json } from "../../../domain/evaluation/feature.ts";
import type { Item, ItemFault } from "../../../domain/feeds/item.ts";
import { LongNumber, losesDigits } from "./long-number.ts";
import { type Part, type Path, parsePath, type Scalar, scalarsAt } from "./path.ts";
import { fillTemplate, parseTemplate, type ValueTemplate } from "./value-template.ts";
import { zonedInstantOf } from "./zoned-instant.ts";

/** Mapping of a document to items, as in the configuration: the path of the items, and the paths of their fields. */
export type Mapping = {
  /** The name of the source. */
  readonly feed: string;
  readonly at: string;
  readonly id: string;
  readonly title?: string | undefined;
  readonly window: { readonly start: string; readonly end: string; readonly zone: string };
  readonly onWithin?: { readonly start: string; readonly end: string } | undefined;
  readonly features: readonly string[];
  readonly conditions: Readonly<Record<string, readonly (string | number | boolean)[]>>;
  readonly prices: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
};

/** UUID namespace of item ids. Generated once at random; must not change. */
const namespace = "0b6d0f0e-6a0e-4d5c-9f52-6d8f1c6f7e21";
const maxTextLength = 1_000;
const maxIdLength = 200;
const maxValues = 100;
const number = /^-?\d+(\.\d+)?$/;

/** An item lacks a field or has an invalid one. */
class ItemUnusable extends Error {}

/** Maps parts of a document to items. Throws for a mapping with invalid paths or templates. */
export class ItemMapper {
  /** Path of the items, from the root of the document. */
  readonly items: readonly string[];
  /** How many levels above an item the mapping reads. */
  readonly levelsAbove: number;
  readonly #feed: string;
  readonly #id: ValueTemplate;
  readonly #title: Path | undefined;
  readonly #window: { readonly start: Path; readonly end: Path; readonly zone: string };
  readonly #onWithin: { readonly start: Path; readonly end: Path } | undefined;
  readonly #features: readonly ValueTemplate[];
  readonly #conditions: readonly (readonly [Path, ReadonlySet<string>, name: string])[];
  readonly #prices: readonly Path[];
  readonly #metadata: readonly (readonly [string, Path])[];

  constructor(mapping: Mapping) {
    const { window, onWithin } = mapping;
    this.items = read(parsePath, mapping.at).names;
    this.#feed = mapping.feed;
    this.#id = read(parseTemplate, mapping.id);
    this.#title = mapping.title === undefined ? undefined : read(parsePath, mapping.title);
    this.#window = { start: read(parsePath, window.start), end: read(parsePath, window.end), zone: window.zone };
    this.#onWithin = onWithin && { start: read(parsePath, onWithin.start), end: read(parsePath, onWithin.end) };
    this.#features = mapping.features.map((text) => read(parseTemplate, text));
    this.#conditions = Object.entries(mapping.conditions).map(([text, values]) => [
      read(parsePath, text),
      new Set(values.map(String)),
      text,
    ]);
    this.#prices = mapping.prices.map((text) => read(parsePath, text));
    this.#metadata = Object.entries(mapping.metadata).map(([name, text]) => [name, read(parsePath, text)]);
    this.levelsAbove = Math.min(this.items.length, Math.max(...pathsOf(mapping).map(({ up }) => up)));
  }

  /** Maps a part to an item, or returns its fault. */
  itemOf(part: Part): Item | ItemFault {
    const id = fillTemplate(this.#id, part);
    if (id === undefined || id.length > maxIdLength || !isServedKey(id)) {
      const fault = id === undefined ? "has no value for its id" : `has an invalid id: ${quoted(id)}`;
      return { id: null, fault };
    }
    try {
      return this.#usable(part, id);
    } catch (error) {
      if (!(error instanceof ItemUnusable)) throw error;
      return { id, fault: error.message };
    }
  }

  #usable(part: Part, id: string): Item {
    const { start, end } = this.#between(part, this.#window);
    const on = this.#onWithin ? this.#between(part, this.#onWithin) : { start, end };
    const prices = this.#prices.flatMap((path) => [...scalarsAt(part, path)].map(priceOf));
    return {
      id,
      uuid: uuidv5(JSON.stringify([this.#feed, id]), namespace),
      title: this.#title ? textOf(first(part, this.#title, "title")) : null,
      start,
      end,
      minPrice: prices.length > 0 ? prices.reduce((min, price) => Math.min(min, price)) : null,
      maxPrice: prices.length > 0 ? prices.reduce((max, price) => Math.max(max, price)) : null,
      features: [...new Set(this.#features.map((template) => keyOf(fillTemplate(template, part))))],
      onFrom: on.start.at,
      onUntil: on.end.at,
      metadata: Object.fromEntries(
        this.#metadata.flatMap(([name, path]) => fieldsOf(name, [...scalarsAt(part, path)])),
      ),
      isOffered: this.#conditions.every(([path, values, name]) => values.has(String(first(part, path, name)))),
    };
  }

  #between(part: Part, window: { readonly start: Path; readonly end: Path }) {
    const { zone } = this.#window;
    const [from, to] = [String(first(part, window.start, "start")), String(first(part, window.end, "end"))];
    const [start, end] = [zonedInstantOf(from, zone, false), zonedInstantOf(to, zone, true)];
    if (!start || !end) throw new ItemUnusable(`has an invalid time: ${quoted(start ? to : from)}`);
    if (end.at < start.at) throw new ItemUnusable(`ends before it starts: ${quoted(from)} to ${quoted(to)}`);
    return { start, end };
  }
}

/** All paths in a mapping. Throws for an invalid path. */
export function pathsOf({ window, onWithin, ...mapping }: Omit<Mapping, "feed">): readonly Path[] {
  const paths = [mapping.title, window.start, window.end, onWithin?.start, onWithin?.end, ...mapping.prices];
  const others = [...Object.keys(mapping.conditions), ...Object.values(mapping.metadata)];
  const templates = [mapping.id, ...mapping.features].flatMap((text) => read(parseTemplate, text));
  return [
    ...[...paths, ...others].filter((text) => text !== undefined).map((text) => read(parsePath, text)),
    ...templates.filter((piece) => typeof piece !== "string"),
  ];
}

function read<T extends object>(parse: (text: string) => T | string, text: string): T {
  const parsed = parse(text);
  if (typeof parsed === "string") throw new Error(`"${text}" ${parsed}`);
  return parsed;
}

function first(part: Part, path: Path, name: string): Scalar {
  const { value } = scalarsAt(part, path).next();
  if (value === undefined) throw new ItemUnusable(`has no ${name}`);
  return value;
}

function textOf(value: Scalar): string {
  const text = String(value);
  if (text.length > maxTextLength) throw new ItemUnusable(`has a text of more than ${maxTextLength} characters`);
  return text;
}

function priceOf(value: Scalar): number {
  const isText = value instanceof LongNumber || (typeof value === "string" && number.test(value));
  const price = isText ? Number(String(value)) : value;
  if (typeof price === "number" && losesDigits(price)) {
    throw new ItemUnusable(`has a price beyond 2^53, which would lose digits: ${quoted(String(value))}`);
  }
  if (typeof price !== "number" || !Number.isFinite(price)) {
    throw new ItemUnusable(`has an invalid price: ${quoted(String(value))}`);
  }
  return price;
}

function keyOf(feature: string | undefined): string {
  if (feature === undefined) throw new ItemUnusable("has no value for its feature");
  if (!isWritableKey(feature)) throw new ItemUnusable(`has an invalid feature: ${quoted(feature)}`);
  return feature;
}

function fieldsOf(name: string, values: readonly Scalar[]): readonly [string, Json][] {
  const texts = values
    .slice(0, maxValues)
    .map((value) => (typeof value === "string" || value instanceof LongNumber ? textOf(value) : value));
  const [only] = texts;
  return only === undefined ? [] : [[name, texts.length === 1 ? only : texts]];
}

/** A value of the feed, shortened for messages. */
const quoted = (text: string): string => JSON.stringify(text.slice(0, 60));
