import { v5 as uuidv5 } from "uuid";
import { isServedKey, isWritableKey, type Json } from "../../../domain/evaluation/feature.ts";
import type { Item, ItemFault } from "../../../domain/feeds/item.ts";
import { LongNumber, losesDigits } from "./long-number.ts";
import { type Part, type Path, parsePath, type Scalar, scalarsAt } from "./path.ts";
import { fillTemplate, parseTemplate } from "./value-template.ts";
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

export type ItemMapper = ReturnType<typeof itemMapper>;

/** Maps parts of a document to items. Throws for a mapping with invalid paths or templates. */
export function itemMapper(mapping: Mapping) {
  const pathAt = (text: string) => read(parsePath, text);
  const windowAt = ({ start, end }: { readonly start: string; readonly end: string }) =>
    [pathAt(start), pathAt(end)] as const;
  const items = pathAt(mapping.at).names;
  const idTemplate = read(parseTemplate, mapping.id);
  const title = mapping.title === undefined ? undefined : pathAt(mapping.title);
  const window = windowAt(mapping.window);
  const onWithin = mapping.onWithin && windowAt(mapping.onWithin);
  const features = mapping.features.map((text) => read(parseTemplate, text));
  const conditions = Object.entries(mapping.conditions).map(
    ([text, values]) => [pathAt(text), new Set(values.map(String)), text] as const,
  );
  const pricePaths = mapping.prices.map(pathAt);
  const metadata = Object.entries(mapping.metadata).map(([name, text]) => [name, pathAt(text)] as const);

  function between(part: Part, [startPath, endPath]: readonly [Path, Path]) {
    const { zone } = mapping.window;
    const [from, to] = [String(first(part, startPath, "start")), String(first(part, endPath, "end"))];
    const [start, end] = [zonedInstantOf(from, zone, false), zonedInstantOf(to, zone, true)];
    if (!start || !end) throw new ItemUnusable(`has an invalid time: ${quoted(start ? to : from)}`);
    if (end.at < start.at) throw new ItemUnusable(`ends before it starts: ${quoted(from)} to ${quoted(to)}`);
    return { start, end };
  }

  function usable(part: Part, id: string): Item {
    const { start, end } = between(part, window);
    const on = onWithin ? between(part, onWithin) : { start, end };
    const prices = pricePaths.flatMap((path) => [...scalarsAt(part, path)].map(priceOf));
    return {
      id,
      uuid: uuidv5(JSON.stringify([mapping.feed, id]), namespace),
      title: title ? textOf(first(part, title, "title")) : null,
      start,
      end,
      minPrice: prices.length > 0 ? prices.reduce((min, price) => Math.min(min, price)) : null,
      maxPrice: prices.length > 0 ? prices.reduce((max, price) => Math.max(max, price)) : null,
      features: [...new Set(features.map((template) => keyOf(fillTemplate(template, part))))],
      onFrom: on.start.at,
      onUntil: on.end.at,
      metadata: Object.fromEntries(metadata.flatMap(([name, path]) => fieldsOf(name, [...scalarsAt(part, path)]))),
      isOffered: conditions.every(([path, values, name]) => values.has(String(first(part, path, name)))),
    };
  }

  return {
    /** Path of the items, from the root of the document. */
    items,
    /** How many levels above an item the mapping reads. */
    levelsAbove: Math.min(items.length, Math.max(...pathsOf(mapping).map(({ up }) => up))),
    /** Maps a part to an item, or returns its fault. */
    itemOf: (part: Part): Item | ItemFault => {
      const id = fillTemplate(idTemplate, part);
      if (id === undefined || id.length > maxIdLength || !isServedKey(id)) {
        const fault = id === undefined ? "has no value for its id" : `has an invalid id: ${quoted(id)}`;
        return { id: null, fault };
      }
      try {
        return usable(part, id);
      } catch (error) {
        if (!(error instanceof ItemUnusable)) throw error;
        return { id, fault: error.message };
      }
    },
  };
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
