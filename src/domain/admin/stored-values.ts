import type { CachedRead } from "../evaluation/cached-read.ts";

/** The value of a key in a store. Members are sorted by code point. */
export type StoredValue =
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "set"; readonly value: readonly string[] }
  /** `reason` completes "The key holds …". */
  | { readonly type: "unsupported"; readonly reason: string };

/** Maximum length of a string that is read, in bytes, and the maximum number of members of a set. */
export const maxStringBytes = 1_048_576;
export const maxMembers = 10_000;

/**
 * Stored values: reads keys of a store as strings and sets.
 *
 * `undefined`: the key does not exist. `unsupported`: the key has another type, a larger value, or bytes that are not
 * UTF-8. It reads no more than the limits. Rejects if the store does not respond.
 */
export interface StoredValues {
  read(key: string): CachedRead<StoredValue | undefined> | Promise<CachedRead<StoredValue | undefined>>;
}

export const tooLong = (): StoredValue => ({
  type: "unsupported",
  reason: `a string of more than ${maxStringBytes} bytes`,
});

export const tooMany = (): StoredValue => ({
  type: "unsupported",
  reason: `a set of more than ${maxMembers} members`,
});
