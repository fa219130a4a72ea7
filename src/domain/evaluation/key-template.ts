import type { EvaluationContext } from "./evaluation-context.ts";

/**
 * The context fields that a key template may use; each location gives one key. `targetingKey` is excluded, because a
 * client can choose it.
 */
export const keyFields = ["userId", "location"] as const;
export type KeyField = (typeof keyFields)[number];

/** Maximum length of a value of such a field, in UTF-16 code units. */
export const maxValueLength = 200;
const unusable = /[\p{Cc}\p{Cs}]/u;

/** Valid values of such a field in words. */
export const valueRule = `1 to ${maxValueLength} printable characters`;

/** Whether a text is a valid value of such a field: {@link valueRule}. */
export const isValue = (text: string): boolean => text !== "" && text.length <= maxValueLength && !unusable.test(text);

/** The field values for a key. */
export type KeyValues = { readonly [field in KeyField]?: string | undefined };

type Segment = { readonly literal: string } | { readonly field: KeyField };

const field = /^\{(.*)\}$/;
/** Most values have only these characters, which need no encoding. */
const plainCharacter = "[A-Za-z0-9._~@/+=,-]";
const plain = new RegExp(`^${plainCharacter}*$`);
const noTarget = [undefined];
const encoded = /[^\p{L}\p{N}\p{M}._~@/+=,-]/gu;

/**
 * Key template: a key with context fields, such as `features:user:{userId}`.
 *
 * It is a sequence of segments between colons. Each segment is a literal or one whole field; the first is a literal.
 * Field values are percent-encoded, except letters and digits of any script and `._~@/+=,-`. So no value contains a
 * colon, and no value gives a key of another template shape.
 */
export class KeyTemplate {
  readonly text: string;
  /** The context fields in the key. */
  readonly fields: readonly KeyField[];
  /** The common prefix of all its keys; the whole key if it has no field. */
  readonly prefix: string;
  readonly #segments: readonly Segment[];
  /** Matches most keys quickly: those without encoded values. */
  readonly #plainKey: RegExp;
  readonly #isLocal: boolean;
  readonly #isPersonal: boolean;
  readonly #fixed: readonly string[];

  private constructor(text: string, segments: readonly Segment[]) {
    this.text = text;
    this.fields = segments.flatMap((segment) => ("field" in segment ? [segment.field] : []));
    const first = segments.findIndex((segment) => "field" in segment);
    this.prefix = first < 0 ? text : `${text.split(":").slice(0, first).join(":")}:`;
    this.#segments = segments;
    const patterns = segments.map((each) => ("field" in each ? `${plainCharacter}+` : RegExp.escape(each.literal)));
    this.#plainKey = new RegExp(`^${patterns.join(":")}$`);
    this.#isLocal = this.fields.includes("location");
    this.#isPersonal = this.fields.includes("userId");
    this.#fixed = [text];
  }

  /** Parses a template. Returns the fault and the fix as a text if it is invalid. */
  static parse(text: string): KeyTemplate | string {
    if (text === "") return "empty key (expected for example location:{location})";
    const segments: Segment[] = [];
    for (const [index, part] of text.split(":").entries()) {
      const name = field.exec(part)?.[1];
      if (name === undefined) {
        if (/[{}]/.test(part)) {
          return `"${part}" mixes a literal and a field (a field fills a whole segment, for example location:{location})`;
        }
        segments.push({ literal: part });
      } else if (index === 0) {
        return `the key starts with a field (start it with a literal, for example location:{location})`;
      } else if (!isKeyField(name)) {
        return `unknown field "${name}" (expected one of ${keyFields.join(", ")})`;
      } else {
        segments.push({ field: name });
      }
    }
    return new KeyTemplate(text, segments);
  }

  /**
   * The keys for a context. A template with a location gives one key for each location, in order. None if the context
   * lacks a field.
   */
  keysFor(context: EvaluationContext): readonly string[] {
    if (this.fields.length === 0) return this.#fixed;
    const keys: string[] = [];
    // Reads only its own fields of the context.
    const userId = this.#isPersonal ? context.userId : undefined;
    for (const location of this.#isLocal ? (context.locations ?? []) : noTarget) {
      const key = this.keyOf({ userId, location });
      if (key !== undefined) keys.push(key);
    }
    return keys;
  }

  /** The key for these values; `undefined` if one of them is missing. */
  keyOf(values: KeyValues): string | undefined {
    let key: string | undefined;
    for (const segment of this.#segments) {
      const part = "field" in segment ? values[segment.field] : segment.literal;
      if (part === undefined) return undefined;
      const encoded = "field" in segment ? encodeValue(part) : part;
      key = key === undefined ? encoded : `${key}:${encoded}`;
    }
    return key;
  }

  /**
   * The prefix of the keys whose first field begins with a value; the template's own prefix without a value of that
   * field.
   */
  prefixFor(values: KeyValues): string {
    const [first] = this.fields;
    const value = first && values[first];
    return `${this.prefix}${value === undefined ? "" : encodeValue(value)}`;
  }

  /** Whether the template gives this key for some context. */
  matches(key: string): boolean {
    return this.#plainKey.test(key) || this.spellingOf(key) === key;
  }

  /** The encoded form of a key whose values may be unencoded; `undefined` for a key of another shape. */
  spellingOf(key: string): string | undefined {
    if (!key.startsWith(this.prefix)) return undefined;
    const parts = key.split(":");
    if (parts.length !== this.#segments.length) return undefined;
    const encoded: string[] = [];
    for (const [index, segment] of this.#segments.entries()) {
      const part = parts[index] ?? "";
      if ("literal" in segment ? part !== segment.literal : part === "") return undefined;
      encoded.push("literal" in segment ? part : encodeValue(decoded(part)));
    }
    return encoded.join(":");
  }

  /** The field values of a key; `undefined` if the template does not match it. */
  valuesIn(key: string): KeyValues | undefined {
    if (!this.matches(key)) return undefined;
    const parts = key.split(":");
    return Object.fromEntries(
      this.#segments.flatMap((segment, index) =>
        "field" in segment ? [[segment.field, decoded(parts[index] ?? "")]] : [],
      ),
    );
  }

  /** Whether a key of the template can start with a text that ends with a colon. */
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

  /** Whether both templates can give the same key. */
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

/** Decodes a percent-encoded value. Returns a badly encoded one unchanged. */
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

/** As encodeURIComponent, but also encodes `!*'()`. */
function percentEncode(character: string): string {
  const code = encodeURIComponent(character);
  return code === character ? `%${character.charCodeAt(0).toString(16).toUpperCase()}` : code;
}
