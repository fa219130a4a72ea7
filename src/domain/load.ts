/** Some of many things that are put into a store together. */
export type Batch<Item> = {
  /** Who puts them there, and what they want remembered of it, as every record of it says. */
  readonly by: string;
  readonly note?: string;
  /** Names the whole that it is a part of. How far that has come is remembered in the store, with what was put there. */
  readonly load: string;
  /** Where in the whole it begins and ends. It is loaded only where the whole has come to just `from`; 0 is its beginning. */
  readonly from: number;
  readonly to: number;
  /** Each thing once; at most {@link mostInBatch}. */
  readonly items: readonly Item[];
};

/** How far the whole has come, by this batch or before, and how many records this batch made. */
export type Loaded = { readonly position: number; readonly records: number };

/** The most things in a batch: a store does nothing else until it has them all. */
export const mostInBatch = 250;
