import { murmur3 } from "./murmur3.ts";

/** How many buckets there are: a hundredth of a percent each. */
const buckets = 10_000;

/** Hundredths of a percent, 0 to 10000; no fractions, so that none is lost. */
export type Share = number;

/**
 * The bucket of an id in a group, 0 to 9999; the same for ever. The hundred buckets of each percent are those whom Unleash counts
 * to it (`murmur3("group:id") % 100`).
 */
export function bucketOf(group: string, id: string): number {
  const hash = murmur3(`${group}:${id}`);
  return (hash % 100) * 100 + (Math.floor(hash / 100) % 100);
}

/** Whether a share takes in a bucket. A larger one takes in all that a smaller one does; the least nobody, the largest all. */
export const includes = (share: Share, bucket: number): boolean => bucket < share;

/** The share that a percentage is, in steps of 0.01; `undefined` for what is none. */
export function shareOf(percentage: number): Share | undefined {
  const share = Math.round(percentage * 100);
  return percentage >= 0 && share <= buckets && share / 100 === percentage ? share : undefined;
}

/** A share, or a bucket, in percent. */
export const percentOf = (hundredths: number): number => hundredths / 100;
