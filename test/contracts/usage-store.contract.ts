import { v7 as uuidv7 } from "uuid";
import { describe, expect, it } from "vitest";
import type { UsageCount, UsageStore } from "../../src/domain/usage/usage-store.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
/** The first minute of a day. */
const start = 20_000 * day;
const forever = { from: 0, until: 100_000 * day } as const;

/** The contract of UsageStore. `open` returns a store that others may have written to, `openEmpty` an empty one. */
export function usageStoreContract(open: () => UsageStore, openEmpty: () => Promise<UsageStore>): void {
  const counted = (feature: string, count: number, more: Partial<UsageCount> = {}): UsageCount => ({
    feature,
    on: true,
    via: "response",
    count,
    ...more,
  });

  describe("UsageStore", () => {
    it("adds counts up by minute, hour and day", async () => {
      const usage = open();
      const [one, other] = [uuidv7(), uuidv7()];
      await usage.add(start, [counted(one, 3), counted(one, 2, { on: false }), counted(other, 1)]);
      await usage.add(start + minute, [counted(one, 4)]);
      await usage.add(start + minute, [counted(one, 5)]);
      await usage.add(start + hour, [counted(one, 6)]);
      const points = (step: "minute" | "hour" | "day") => usage.points({ step, ...forever }, [one]);
      expect(await points("minute")).toEqual([
        { feature: one, start, on: 3, off: 2 },
        { feature: one, start: start + minute, on: 9, off: 0 },
        { feature: one, start: start + hour, on: 6, off: 0 },
      ]);
      expect(await points("hour")).toEqual([
        { feature: one, start, on: 12, off: 2 },
        { feature: one, start: start + hour, on: 6, off: 0 },
      ]);
      expect(await points("day")).toEqual([{ feature: one, start, on: 18, off: 2 }]);
      const both = await usage.points({ step: "day", ...forever }, [one, other, "none"]);
      expect(both.map(({ feature, on }) => [feature, on])).toEqual([
        [one, 18],
        [other, 1],
      ]);
    });

    it("returns the steps that begin within the span", async () => {
      const usage = open();
      const feature = uuidv7();
      for (const after of [0, 1, 2, 3]) await usage.add(start + after * minute, [counted(feature, 1)]);
      const span = { step: "minute", from: start + 1, until: start + 3 * minute } as const;
      const points = await usage.points(span, [feature]);
      expect(points.map((point) => point.start)).toEqual([start + minute, start + 2 * minute]);
    });

    it("sums by variant, result and way", async () => {
      const usage = open();
      const feature = uuidv7();
      const counts = [
        counted(feature, 1),
        counted(feature, 2, { variant: "dark" }),
        counted(feature, 3, { variant: "dark", on: false }),
        counted(feature, 4, { variant: "dark", via: "report" }),
        counted(feature, 5, { via: "flag" }),
      ];
      await usage.add(start, counts);
      await usage.add(start + minute, counts);
      const sums = await usage.sums({ step: "day", ...forever }, feature);
      expect(sums.toSorted((one, other) => one.count - other.count)).toEqual(
        counts.map((each) => ({ ...each, count: 2 * each.count })),
      );
    });

    it("stores each served key and each variant as it is", async () => {
      const usage = open();
      const id = uuidv7();
      const features = [`${id}/a/b`, `${id} é 😀 "'\\`, `${id}${"x".repeat(980)}`, `${id}${"x".repeat(979)}y`];
      const long = `${id}${"字".repeat(900)}`;
      const all = [...features, long];
      await usage.add(
        start,
        all.map((feature) => counted(feature, 1, { variant: "字".repeat(100) })),
      );
      const points = await usage.points({ step: "day", ...forever }, all);
      expect(points.map(({ feature }) => feature).toSorted()).toEqual(all.toSorted());
      expect((await usage.lastUses()).uses.get(long)).toBe(start);
      expect((await usage.sums({ step: "day", ...forever }, long))[0]?.variant).toBe("字".repeat(100));
    });

    it("returns the last use: an evaluation that has the feature on, or requests it by its key", async () => {
      const usage = open();
      const [on, off, flag, reported] = [uuidv7(), uuidv7(), uuidv7(), uuidv7()];
      await usage.add(start + hour, [
        counted(on, 1),
        counted(off, 1, { on: false }),
        counted(flag, 1, { on: false, via: "flag" }),
        counted(reported, 1, { on: false, via: "report" }),
      ]);
      await usage.add(start, [counted(on, 1)]);
      await usage.add(start + 2 * hour, [counted(on, 1, { on: false })]);
      const { uses } = await usage.lastUses();
      expect([on, off, flag, reported].map((feature) => uses.get(feature))).toEqual([
        start + hour,
        undefined,
        start + hour,
        start + hour,
      ]);
    });

    it("adds the counts of concurrent writers", async () => {
      const usage = open();
      const features = Array.from({ length: 50 }, () => uuidv7());
      const counts = features.map((feature) => counted(feature, 1));
      const orders = [counts, counts.toReversed(), counts, counts.toReversed()];
      await Promise.all(orders.map((order) => usage.add(start, order)));
      const points = await usage.points({ step: "hour", ...forever }, features);
      expect(points.map(({ on }) => on)).toEqual(features.map(() => 4));
    });

    it("stores thousands of counts at once", async () => {
      const usage = await openEmpty();
      const counts = Array.from({ length: 1_200 }, (_, index) => counted(`feature_${index}`, index + 1));
      await usage.add(start, counts);
      const points = await usage.points({ step: "minute", ...forever });
      expect(points).toHaveLength(1_200);
      expect(points.reduce((sum, { on }) => sum + on, 0)).toBe((1_200 * 1_201) / 2);
    });

    it("returns the time of the first count", async () => {
      const usage = await openEmpty();
      expect(await usage.lastUses()).toEqual({ since: undefined, uses: new Map() });
      await usage.add(start + 3 * hour + 7 * minute, [counted("a", 1, { on: false })]);
      expect((await usage.lastUses()).since).toBe(start + 3 * hour + 7 * minute);
      await usage.add(start + 4 * hour, [counted("a", 1)]);
      await usage.expire(start + 4 * day);
      expect((await usage.lastUses()).since).toBe(start + 3 * hour);
    });

    it("removes minutes after 2 hours, hours after 8 days, and days after 400 days", async () => {
      const usage = await openEmpty();
      await usage.add(start, [counted("old", 1), counted("off", 1, { on: false })]);
      await usage.add(start + 2 * hour, [counted("new", 1)]);
      const starts = async (step: "minute" | "hour" | "day") =>
        (await usage.points({ step, ...forever })).map(({ feature }) => feature);
      await usage.expire(start + 2 * hour);
      expect(await starts("minute")).toEqual(["off", "old", "new"]);
      await usage.expire(start + 2 * hour + minute);
      expect(await starts("minute")).toEqual(["new"]);
      expect(await starts("hour")).toEqual(["off", "old", "new"]);
      await usage.expire(start + 8 * day + hour);
      expect(await starts("hour")).toEqual(["new"]);
      expect(await starts("day")).toEqual(["new", "off", "old"]);
      await usage.expire(start + 400 * day);
      expect(await starts("day")).toEqual(["new", "off", "old"]);
      expect((await usage.lastUses()).uses.size).toBe(2);
      await usage.expire(start + 401 * day);
      expect(await usage.lastUses()).toEqual({ since: undefined, uses: new Map() });
    });

    it("keeps long keys as long as their counts, and removes none that others need", async () => {
      const usage = await openEmpty();
      const [kept, removed] = [`kept${"字".repeat(900)}`, `removed${"字".repeat(900)}`];
      await usage.add(start, [counted(removed, 1)]);
      await usage.add(start + 2 * day, [counted(kept, 1)]);
      await usage.expire(start + 401 * day);
      expect([...(await usage.lastUses()).uses.keys()]).toEqual([kept]);
      await usage.add(start + 401 * day, [counted(removed, 1)]);
      expect([...(await usage.lastUses()).uses.keys()].toSorted()).toEqual([kept, removed]);
    });

    it("accepts an empty list", async () => {
      await expect(open().add(start, [])).resolves.toBeUndefined();
    });
  });
}
