import type { ChangeMeta } from "./change.ts";

/** Some of many things that are put into a store together; and who puts them there, as every record of it says. */
export type Batch<Item> = Pick<ChangeMeta, "by" | "email" | "note"> & {
  /** Names the whole that it is a part of. How far that has come is remembered in the store, with what was put there. */
  readonly load: string;
  /** Where in the whole it begins and ends. It is loaded only where the whole has come to just `from`; 0 is its beginning. */
  readonly from: number;
  readonly to: number;
  /** Each thing once. */
  readonly items: readonly Item[];
};

/** Who puts a batch into a store, as its records say. */
export const authorOf = ({ by, email, note }: Batch<unknown>): Pick<ChangeMeta, "by" | "email" | "note"> => ({
  by,
  ...(email !== undefined && { email }),
  ...(note !== undefined && { note }),
});

/** How far the whole has come, by this batch or before, and how many records this batch made. */
export type BatchResult = { readonly position: number; readonly records: number };

/** The most things in a batch: a store does nothing else until it has them all. */
export const mostInBatch = 250;
/** The most features of all sets in a batch, but for a set that has more alone. */
export const mostFeaturesInBatch = 5_000;
