import { describe, expect, it } from "vitest";
import { CountUsage, type Stated } from "../../../src/application/usage/count-usage.ts";

const counter = (...known: string[]) => new CountUsage(async () => new Set(known));

const all = (...keys: string[]): (() => Stated) => stated(true, ...keys);

/** The features of a response; a key with a minus is off. */
function stated(omitsOff: boolean, ...keys: string[]): () => Stated {
  const flags = keys.map((key) => ({ key: key.replace("-", ""), on: !key.startsWith("-") }));
  return () => ({ flags, omitsOff });
}

/** The counts, such as `a on response: 3`. */
async function taken(usage: CountUsage): Promise<string[]> {
  const counts = await usage.take();
  return counts
    .map(({ feature, variant, on, via, count }) =>
      [feature, ...(variant === undefined ? [] : [variant]), on ? "on" : "off", `${via}: ${count}`].join(" "),
    )
    .toSorted();
}

describe("CountUsage", () => {
  it("counts the features in each response", async () => {
    const usage = counter("a", "b");
    const tally = usage.tallyOf("1", stated(false, "a", "-b"));
    for (let count = 0; count < 3; count++) usage.count(tally);
    usage.count(usage.tallyOf("2", stated(false, "a", "b")));
    expect(await taken(usage)).toEqual(["a on response: 4", "b off response: 3", "b on response: 1"]);
    expect(await taken(usage)).toEqual([]);
    usage.count(tally);
    expect(await taken(usage)).toEqual(["a on response: 1", "b off response: 1"]);
  });

  it("shares the tally of responses with the same body", () => {
    const usage = counter();
    expect(usage.tallyOf("1", all("a"))).toBe(usage.tallyOf("1", all("a")));
  });

  it("counts known features as off that a list of the active ones omits", async () => {
    const usage = counter("a", "b", "c");
    usage.count(usage.tallyOf("1", all("a")));
    usage.count(usage.tallyOf("2", all("a", "b")));
    usage.count(usage.tallyOf("3", stated(false, "-c")));
    usage.countFlag({ key: "a", on: true });
    expect(await taken(usage)).toEqual([
      "a on flag: 1",
      "a on response: 2",
      "b off response: 1",
      "b on response: 1",
      "c off response: 3",
    ]);
  });

  it("counts only features that are on if the known features cannot be read", async () => {
    const usage = new CountUsage(() => Promise.reject(new Error("away")));
    usage.count(usage.tallyOf("1", all("a")));
    expect(await taken(usage)).toEqual(["a on response: 1"]);
    const without = new CountUsage(async () => undefined);
    without.count(without.tallyOf("1", all("a")));
    expect(await taken(without)).toEqual(["a on response: 1"]);
  });

  it("counts by variant, with names that a database can store", async () => {
    const usage = counter();
    usage.countFlag({ key: "a", variant: "dark", on: true });
    usage.countFlag({ key: "a", variant: "", on: true });
    usage.countFlag({ key: "a", variant: `x\0\ud800${"y".repeat(200)}`, on: false });
    expect(await taken(usage)).toEqual(
      [`a x \ufffd${"y".repeat(97)} off flag: 1`, "a dark on flag: 1", "a on flag: 1"].toSorted(),
    );
  });

  it("counts the reports of SDKs for known features, each evaluation once", async () => {
    const usage = counter("a", "b", "c");
    await usage.countReport({
      a: { yes: 10, no: 2, variants: { dark: 6, disabled: 4 } },
      b: { yes: 3, variants: { dark: 5 } },
      c: { no: 1e300, yes: 0.5 },
      unknown: { yes: 1 },
      __proto__: { yes: 1 },
    });
    expect(await taken(usage)).toEqual([
      "a dark on report: 6",
      "a off report: 2",
      "a on report: 4",
      "b dark on report: 3",
      "c off report: 1000000000",
    ]);
  });

  it("keeps its counts when it drops bodies and names of series", async () => {
    const usage = counter();
    const tally = usage.tallyOf("first", stated(false, "a"));
    usage.count(tally);
    for (let body = 0; body < 25; body++) {
      const keys = Array.from({ length: 10_000 }, (_, index) => `${body % 3}_${index}`);
      usage.tallyOf(`${body}`, stated(false, ...keys));
    }
    const again = usage.tallyOf("first", stated(false, "a"));
    expect(again).not.toBe(tally);
    usage.count(again);
    usage.count(tally);
    expect(await taken(usage)).toEqual(["a on response: 3"]);
  });

  it("counts at most 20,000 features, and the others as dropped", async () => {
    const usage = counter();
    const keys = Array.from({ length: 20_010 }, (_, index) => `f${index}`);
    const tally = usage.tallyOf("1", stated(false, ...keys));
    usage.count(tally);
    usage.count(tally);
    expect(await usage.take()).toHaveLength(20_000);
    expect(usage.dropped).toBe(20);
  });

  it("counts a response whose body is not sent again", async () => {
    const usage = counter("a", "b", "c");
    usage.countOnce({ on: new Map([["a", true]]) });
    usage.countOnce({ on: new Map() });
    usage.countOnce(stated(false, "b", "-c")());
    expect(await taken(usage)).toEqual([
      "a off response: 1",
      "a on response: 1",
      "b off response: 2",
      "b on response: 1",
      "c off response: 3",
    ]);
  });

  it("forgets all counts", async () => {
    const usage = counter("a", "b");
    const tally = usage.tallyOf("1", all("a"));
    usage.count(tally);
    usage.countFlag({ key: "b", on: true });
    usage.clear();
    expect(await taken(usage)).toEqual([]);
    usage.count(tally);
    expect(await taken(usage)).toEqual(["a on response: 1", "b off response: 1"]);
  });

  it("counts thousands of different responses in bounded memory", async () => {
    const usage = counter("a");
    for (let body = 0; body < 25_000; body++) usage.count(usage.tallyOf(`${body}`, stated(false, "a")));
    expect(await taken(usage)).toEqual(["a on response: 25000"]);
  });
});
