/** Feature key: the name of a feature. */
export type FeatureKey = string;

/** A JSON value (RFC 8259). */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Whether two values are equal, regardless of the order of object members. */
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

const writableKey = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/;

/** Maximum length of a key that is served, in UTF-16 code units. Longer members of a store are not feature keys. */
export const maxServedKeyLength = 1_024;

/** The rule of writable keys, for messages. */
export const writableKeyRule = "1 to 200 of A-Z a-z 0-9 . _ : / -, a letter or digit first";

/** The rule of served keys, for messages. */
export const servedKeyRule = "1 to 1024 characters, none of them a control character";

/** Whether a feature may be granted under this key ({@link writableKeyRule}). */
export const isWritableKey = (key: string): boolean => writableKey.test(key);

/**
 * Whether a key is served: 1 to 1,024 UTF-16 code units, without control characters and lone surrogates. Stores and
 * definitions of other tools may grant keys that are not writable here. Every served key can be killed, explained,
 * described and removed.
 */
export const isServedKey = (key: string): boolean =>
  key.length > 0 && key.length <= maxServedKeyLength && !controlCharacter.test(key) && key.isWellFormed();

/** Compares keys by code point, as a comparison of their UTF-8 bytes would. */
export function compareKeys(a: FeatureKey, b: FeatureKey): number {
  const end = Math.min(a.length, b.length);
  for (let index = 0; index < end; index++) {
    const difference = rank(a.charCodeAt(index)) - rank(b.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Keys sorted by code point. Without code points above U+FFFF, the built-in order is the same and faster. */
export const inOrder = (keys: Iterable<FeatureKey>): FeatureKey[] => {
  const all = [...keys];
  return all.some((key) => surrogate.test(key)) ? all.sort(compareKeys) : all.sort();
};

const surrogate = /[\ud800-\udfff]/;

/** Ranks surrogates, which encode the highest code points, behind U+E000 to U+FFFF. */
const rank = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit);
