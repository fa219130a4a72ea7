import { murmur3 } from "./murmur3.ts";

/** The number of buckets, each 0.01 %. */
const buckets = 10_000;

/** A share in hundredths of a percent, 0 to 10000, always an integer. */
export type Share = number;

/**
 * The bucket of an id in a group, 0 to 9999. It never changes. The hundred buckets of each percent are the ids that
 * Unleash assigns to this percent (`murmur3("group:id") % 100`).
 */
export function bucketOf(group: string, id: string): number {
  const hash = murmur3(`${group}:${id}`);
  return (hash % 100) * 100 + (Math.floor(hash / 100) % 100);
}

/**
 * Whether a share includes a bucket. Monotonic: raising a share excludes no bucket. 0 includes none, 10000 includes
 * all.
 */
export const includes = (share: Share, bucket: number): boolean => bucket < share;

/** The share of a percentage, in steps of 0.01; `undefined` for an invalid percentage. */
export function shareOf(percentage: number): Share | undefined {
  const share = Math.round(percentage * 100);
  return percentage >= 0 && share <= buckets && share / 100 === percentage ? share : undefined;
}

/** A share, or a bucket, in percent. */
export const percentOf = (hundredths: number): number => hundredths / 100;
