import { describe, expect, it } from "vitest";
import { Timeline } from "../../../src/domain/feeds/timeline.ts";
import { anItem } from "../../support/items.ts";

const at = (id: string, start: number, end: number) =>
  anItem(id, { start: { at: start, date: "", time: null }, end: { at: end, date: "", time: null } });

describe("Timeline", () => {
  const ids = (timeline: Timeline, from: number, to: number) =>
    [...timeline.within(from, to)].map(({ id }) => id).join("");

  it("returns items within a window, bounds included, sorted by start", () => {
    const timeline = new Timeline();
    timeline.put([at("c", 5, 6), at("a", 1, 9), at("b", 1, 4), at("d", 7, 7)]);
    expect(ids(timeline, 0, 10)).toBe("bacd");
    expect(ids(timeline, 1, 6)).toBe("bc");
    expect(ids(timeline, 2, 10)).toBe("cd");
    expect(ids(timeline, 8, 10)).toBe("");
    expect(ids(timeline, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)).toBe("bacd");
  });

  it("moves a changed item to its new position", () => {
    const timeline = new Timeline();
    timeline.put([at("a", 1, 2), at("b", 3, 4), at("c", 5, 6)]);
    timeline.put([at("a", 7, 8), at("d", 4, 5), at("a", 4, 4)]);
    expect(ids(timeline, 0, 10)).toBe("badc");
    expect([timeline.size, timeline.get("a")?.start.at, timeline.get("e")]).toEqual([4, 4, undefined]);
  });

  it("equals a plain list for any sequence of changes", () => {
    const timeline = new Timeline();
    const plain = new Map<string, ReturnType<typeof at>>();
    let seed = 7;
    const random = (max: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % max;
    };
    for (let round = 0; round < 200; round++) {
      const items = Array.from({ length: random(5) }, () => {
        const start = random(20);
        return at(`${random(40)}`, start, start + random(5));
      });
      timeline.put(items);
      for (const item of items) plain.set(item.id, item);
      const [from, to] = [random(20), random(25)];
      const expected = [...plain.values()].filter(({ start, end }) => start.at >= from && end.at <= to);
      const found = [...timeline.within(from, to)];
      expect(new Set(found)).toEqual(new Set(expected));
      expect(found.map(({ start }) => start.at)).toEqual(found.map(({ start }) => start.at).sort((a, b) => a - b));
    }
    expect(timeline.all()).toHaveLength(plain.size);
  });
});
