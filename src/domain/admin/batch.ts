import type { ChangeMeta } from "./change.ts";

/** Batch of an import: items that are written to a store together, and the author that each of their records names. */
export type Batch<Item> = Pick<ChangeMeta, "by" | "email" | "note"> & {
  /** Name of the import that the batch is part of. The store keeps its position together with the items. */
  readonly load: string;
  /**
   * The positions in the import at which the batch starts and ends; 0 is the start of the import. The store applies the
   * batch only if the import is at exactly `from`.
   */
  readonly from: number;
  readonly to: number;
  /** Each item once. */
  readonly items: readonly Item[];
};

/** The author fields of a batch, for its records. */
export const authorOf = ({ by, email, note }: Batch<unknown>): Pick<ChangeMeta, "by" | "email" | "note"> => ({
  by,
  ...(email !== undefined && { email }),
  ...(note !== undefined && { note }),
});

/**
 * The position of the import after this batch, whether this call or an earlier one wrote it, and how many records this
 * call made.
 */
export type BatchResult = { readonly position: number; readonly records: number };

/** Maximum number of items in a batch. A store is blocked while it writes one. */
export const maxInBatch = 250;
/** Maximum number of features of all sets in a batch. One set may have more, alone in its batch. */
export const maxFeaturesInBatch = 5_000;
