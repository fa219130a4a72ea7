import { type EvaluationContext, type KeyField, keyFields } from "./evaluation-context.ts";

/** The values that a key is made from. */
export type KeyValues = { readonly [field in KeyField]?: string | undefined };

type Segment = { readonly literal: string } | { readonly field: KeyField };

const field = /^\{(.*)\}$/;
/** What most values are, and is found out fast. */
const plain = /^[A-Za-z0-9._~@/+=,-]*$/;
const nowhere = [undefined];
const encoded = /[^\p{L}\p{N}\p{M}._~@/+=,-]/gu;

/**
 * A key with places for fields of the context: `features:user:{userId}`.
 *
 * It is a sequence of segments between colons, each either literal or one whole field, the first
 * one literal. Field values are percent-encoded (letters and digits of any script and `._~@/+=,-`
 * stay as they are), so that no value can hold a colon and no value reaches a key of another shape.
 */
export class KeyTemplate {
  readonly text: string;
  /** The fields of the context that the key is made from. */
  readonly fields: readonly KeyField[];
  /** What all its keys begin with: the whole key where it has no field. */
  readonly prefix: string;
  readonly #segments: readonly Segment[];
  readonly #isLocal: boolean;
  readonly #fixed: readonly string[];

  private constructor(text: string, segments: readonly Segment[]) {
    this.text = text;
    this.fields = segments.flatMap((segment) => ("field" in segment ? [segment.field] : []));
    const first = segments.findIndex((segment) => "field" in segment);
    this.prefix = first < 0 ? text : `${text.split(":").slice(0, first).join(":")}:`;
    this.#segments = segments;
    this.#isLocal = this.fields.includes("location");
    this.#fixed = [text];
  }

  /** Reads a template; answers what is wrong with it, and what to do, as a text where it is none. */
  static parse(text: string): KeyTemplate | string {
    if (text === "") return "a key cannot be empty; write for example location:{location}";
    const segments: Segment[] = [];
    for (const [index, part] of text.split(":").entries()) {
      const name = field.exec(part)?.[1];
      if (name === undefined) {
        if (/[{}]/.test(part)) {
          return `"${part}" mixes text and a field; a field stands alone between colons, as in location:{location}`;
        }
        segments.push({ literal: part });
      } else if (index === 0) {
        return `the key begins with a field; put a fixed word and a colon before it, as in location:{location}`;
      } else if (!isKeyField(name)) {
        return `there is no field "${name}"; choose one of ${keyFields.join(", ")}`;
      } else {
        segments.push({ field: name });
      }
    }
    return new KeyTemplate(text, segments);
  }

  /** The keys for a context: one for each of its locations, in their order, where the template names that; none where the context lacks a field. */
  keysFor({ userId, locations = [] }: EvaluationContext): readonly string[] {
    if (this.fields.length === 0) return this.#fixed;
    const keys: string[] = [];
    for (const location of this.#isLocal ? locations : nowhere) {
      const key = this.keyOf({ userId, location });
      if (key !== undefined) keys.push(key);
    }
    return keys;
  }

  /** The key that is made from these values; `undefined` where one of them is lacking. */
  keyOf(values: KeyValues): string | undefined {
    let key: string | undefined;
    for (const segment of this.#segments) {
      const part = "field" in segment ? values[segment.field] : segment.literal;
      if (part === undefined) return undefined;
      const made = "field" in segment ? encodeValue(part) : part;
      key = key === undefined ? made : `${key}:${made}`;
    }
    return key;
  }

  /** Whether the template makes this key for some context. */
  matches(key: string): boolean {
    return this.meant(key) === key;
  }

  /** The key that somebody means who may have written values as they are: encoded; `undefined` for one of another shape. */
  meant(key: string): string | undefined {
    if (!key.startsWith(this.prefix)) return undefined;
    const parts = key.split(":");
    if (parts.length !== this.#segments.length) return undefined;
    const made: string[] = [];
    for (const [index, segment] of this.#segments.entries()) {
      const part = parts[index] ?? "";
      if ("literal" in segment ? part !== segment.literal : part === "") return undefined;
      made.push("literal" in segment ? part : encodeValue(decoded(part)));
    }
    return made.join(":");
  }

  /** The values of the fields that a key was made from; `undefined` for a key that the template makes for no context. */
  valuesIn(key: string): KeyValues | undefined {
    if (!this.matches(key)) return undefined;
    const parts = key.split(":");
    return Object.fromEntries(
      this.#segments.flatMap((segment, index) =>
        "field" in segment ? [[segment.field, decoded(parts[index] ?? "")]] : [],
      ),
    );
  }

  /** Whether some key of the template could go on after a text that ends with a colon. */
  reaches(beginning: string): boolean {
    const parts = beginning.split(":").slice(0, -1);
    return (
      this.#segments.length > parts.length &&
      parts.every((part, index) => {
        const segment = this.#segments[index];
        return segment === undefined || "field" in segment || segment.literal === part;
      })
    );
  }

  /** Whether some key could be made by both templates. */
  overlaps(other: KeyTemplate): boolean {
    return (
      this.#segments.length === other.#segments.length &&
      this.#segments.every((mine, index) => {
        const theirs = other.#segments[index];
        return theirs === undefined || "field" in mine || "field" in theirs || mine.literal === theirs.literal;
      })
    );
  }
}

/** A value whose key says it percent-encoded; one that is not well encoded is taken as it is. */
function decoded(part: string): string {
  if (!part.includes("%")) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const isKeyField = (name: string): name is KeyField => (keyFields as readonly string[]).includes(name);

const encodeValue = (value: string): string =>
  plain.test(value) ? value : value.toWellFormed().replace(encoded, percentEncode);

/** As encodeURIComponent, but for `!*'()` too, which that leaves as they are. */
function percentEncode(character: string): string {
  const code = encodeURIComponent(character);
  return code === character ? `%${character.charCodeAt(0).toString(16).toUpperCase()}` : code;
}
