/** The name of something that can be on. */
export type FeatureKey = string;

/** A JSON value (RFC 8259). */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Whether two values are the same, in whatever order the members of their objects are. */
export function isSameJson(one: Json, other: Json): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return one === other;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const others = new Map<string, Json>(Object.entries(other));
  const members = Object.entries<Json>(one);
  return (
    members.length === others.size &&
    members.every(([name, value]) => {
      const same = others.get(name);
      return same !== undefined && isSameJson(value, same);
    })
  );
}

/**
 * Why a resolution came out as it did, in the words of OpenFeature
 * (specification section 2.2.5, "reason").
 */
export type Reason = "STATIC" | "TARGETING_MATCH" | "SPLIT" | "DISABLED" | "DEFAULT";

/**
 * What a source says of one feature it knows. A feature it does not know has no resolution:
 * off and unknown are different answers.
 */
export type Resolution = {
  readonly on: boolean;
  /** What the client gets when the feature is on; `true` for a plain feature. */
  readonly value: Json;
  readonly variant?: string;
  readonly reason: Reason;
  /** What the source tells of how it came to this, for explanations. */
  readonly metadata?: Readonly<Record<string, Json>>;
};

const writableKey = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/;

/** The longest key that is served, in UTF-16 code units. Longer members of a store are no keys. */
export const longestServedKey = 1_024;

/** Whether a feature may be granted under this key: 1 to 200 of `A-Z a-z 0-9 . _ : / -`, a letter or digit first. */
export const isWritableKey = (key: string): boolean => writableKey.test(key);

/**
 * Whether a key is served: 1 to 1,024 UTF-16 code units, without control characters and lone surrogates. Stores and
 * definitions of other tools may grant keys that are not writable here. Every served key can be killed, explained,
 * described and removed.
 */
export const isServedKey = (key: string): boolean =>
  key.length > 0 && key.length <= longestServedKey && !controlCharacter.test(key) && key.isWellFormed();

/** Orders keys by code point, as their UTF-8 bytes would be. */
function byCodePoint(a: FeatureKey, b: FeatureKey): number {
  const end = Math.min(a.length, b.length);
  for (let index = 0; index < end; index++) {
    const difference = rank(a.charCodeAt(index)) - rank(b.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Keys in the order of their code points. Where there are none above U+FFFF, that is the order in which they are sorted fastest. */
export const inOrder = (keys: Iterable<FeatureKey>): FeatureKey[] => {
  const all = [...keys];
  return all.some((key) => surrogate.test(key)) ? all.sort(byCodePoint) : all.sort();
};

const surrogate = /[\ud800-\udfff]/;

/** Surrogates stand for code points above all others, so they go behind U+E000 to U+FFFF. */
const rank = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit);
