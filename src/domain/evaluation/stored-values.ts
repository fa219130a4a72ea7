import type { CachedRead } from "./cached-read.ts";

/** What a key of a store holds. Members are sorted by code point. */
export type StoredValue =
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "set"; readonly value: readonly string[] }
  /** `reason` completes "The key holds …". */
  | { readonly type: "unsupported"; readonly reason: string };

/** The longest string that is read, in bytes, and the most members of a set. */
export const longestString = 1_048_576;
export const mostMembers = 10_000;

/**
 * Port: reads keys of a store as strings and sets, whatever they are used for.
 *
 * `undefined` is a key that does not exist. A key of another type, with a larger value or with bytes that are not UTF-8
 * is `unsupported`; no more than the limits is read. Rejects if the store does not answer.
 */
export interface StoredValues {
  read(key: string): CachedRead<StoredValue | undefined> | Promise<CachedRead<StoredValue | undefined>>;
}

export const tooLong = (): StoredValue => ({
  type: "unsupported",
  reason: `a string of more than ${longestString} bytes`,
});

export const tooMany = (): StoredValue => ({
  type: "unsupported",
  reason: `a set of more than ${mostMembers} members`,
});
