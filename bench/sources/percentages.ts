import { createRequire } from "node:module";
import { bucketOf, includes } from "../../src/domain/targeting/share.ts";
import type { Row } from "../row.ts";

const ids = 1_000_000;
const shares = [1, 25, 50, 333, 1_000, 2_500, 3_333, 5_000, 9_000, 9_950, 9_999];
const groups = ["new_menu", "happy_hour", "search"];

const { default: FlexibleRollout }: typeof import("unleash-client/lib/strategy/flexible-rollout-strategy.js") =
  createRequire(import.meta.url)("unleash-client/lib/strategy/flexible-rollout-strategy.js");

/** The error of percentages of a million ids, and the number of differences from Unleash. */
export async function measure(): Promise<readonly Row[]> {
  const unleash = new FlexibleRollout();
  let maxInstant = 0;
  let differing = 0;
  let compared = 0;
  let spentMs = 0;
  for (const group of groups) {
    const buckets = new Uint16Array(ids);
    const start = performance.now();
    for (let index = 0; index < ids; index++) buckets[index] = bucketOf(group, `user-${index}`);
    spentMs += performance.now() - start;
    const sizes = new Uint32Array(10_000);
    for (const [index, bucket] of buckets.entries()) {
      sizes[bucket] = (sizes[bucket] ?? 0) + 1;
      const percent = index % 101;
      const parameters = { rollout: percent, stickiness: "userId", groupId: group };
      const theirs = unleash.isEnabled(parameters, { userId: `user-${index}` });
      if (includes(percent * 100, bucket) !== theirs) differing += 1;
      compared += 1;
    }
    for (const share of shares) {
      const isIn = sizes.subarray(0, share).reduce((sum, size) => sum + size, 0);
      maxInstant = Math.max(maxInstant, Math.abs(isIn / ids - share / 10_000) * 100);
    }
  }
  return [
    {
      asked: "over 1,000,000 ids a share is within 0.2 point",
      reached: `${maxInstant.toFixed(3)} point off at most (${groups.length} groups, ${shares.length} shares from 0.01 % to 99.99 %)`,
      isReached: maxInstant <= 0.2,
    },
    {
      asked: "at whole percents who is in equals the answer of `unleash-client`",
      reached: `${differing} of ${compared} differ; a bucket takes ${((spentMs * 1e3) / compared).toFixed(1)} µs`,
      isReached: differing === 0,
    },
  ];
}
