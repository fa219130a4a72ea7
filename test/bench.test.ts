import { describe, expect, it } from "vitest";
import { contextOf, flagsFile, rightFlags } from "../bench/contestants/ofrep.ts";
import { names } from "../bench/measurements/rates.ts";
import { peersSection } from "../bench/page/peers.ts";
import { type Verdict, verdicts } from "../bench/page/targets.ts";
import type { Results } from "../bench/results.ts";
import type { Slice } from "../bench/rounds.ts";
import { percentile, spreadOf } from "../bench/spread.ts";
import { FlagdRules } from "../src/adapters/sources/flagd/flagd-rules.ts";

/** Two rounds at 32 connections. In the second one the machine was half as fast for all. */
const rounds = (name: string, perSecond: number, p99 = 1): Slice[] =>
  [1, 2].map((round) => ({
    name,
    round,
    connections: 32,
    perSecond: perSecond / round,
    p50: 1,
    p99: p99 * round,
    cpuMicros: 1e6 / perSecond,
    residentBytes: 1e8,
    failed: 0,
  }));

const results: Results = {
  rates: {
    slices: [
      ...rounds(names.bare, 1_000),
      ...rounds(names.hit, 950, 1.2),
      ...rounds(names.seedOne, 30),
      ...rounds(names.seedTwo, 50),
    ],
    skipped: ["Unleash is not installed"],
  },
  allCores: { slices: [...rounds("Tidegate, 1 process", 900), ...rounds("Flask, 5 workers", 70)], skipped: [] },
  peers: {
    slices: [
      ...rounds("Tidegate, repeated callers", 1_000),
      ...rounds("flagd, repeated callers", 250),
      ...rounds("Tidegate, new contexts", 100),
      ...rounds("flagd, new contexts", 250).map((slice) => ({ ...slice, residentBytes: 7e7 })),
    ],
    skipped: [],
    bytes: { "Tidegate, repeated callers": 10_400, "flagd, repeated callers": 8_000 },
  },
  roundTrips: {
    hits: { calls: 100, reads: 1 },
    miss: { users: 1, features: 1, commands: 4 },
    cold: { calls: 1_000, keys: 5, commands: 10, commandsPerKey: 2, readsPerKey: 1 },
  },
  memory: { users: 10, fresh: { used: 1e6, resident: 2e6 }, full: { used: 110e6, resident: 350e6 } },
  flatCost: [
    { users: 1_000, hit: [10, 20], miss: [50, 100] },
    { users: 1_000_000, hit: [11, 22], miss: [70, 140] },
  ],
  startUp: { tidegate: [400, 450, 600], bare: [100, 100, 100] },
  claims: { alone: [1, 2], beside: [3, 6], resident: [{ kind: "token", bytes: 450e6 }] },
  flagd: { plain: [0.4, 0.5, 0.6], rich: [1.4, 1.5, 1.6] },
  importing: {
    users: 300_000,
    pipe: spreadOf([100]),
    tidegate: spreadOf([30]),
    ratio: spreadOf([0.3]),
    resident: 200e6,
  },
  killSwitch: { processes: 4, millis: [...Array(98).fill(2), 19, 51] },
};

const of = (id: string, from = results): Verdict | undefined => verdicts(from).find((verdict) => verdict.id === id);

describe("the benchmark's verdicts", () => {
  it("compare within a round, so that a busy machine changes no ratio", () => {
    expect(of("hit-rate")).toMatchObject({
      reached: "0.95 at 32 connections (by processor time 0.95)",
      met: true,
    });
    expect(of("hit-p99")).toMatchObject({ reached: "1.20", met: true });
  });

  it("compare a hit with the other's best setting", () => {
    expect(of("flask-one-core")).toMatchObject({
      reached: "19.0 at 32 connections (by processor time 19.0)",
      met: false,
    });
    expect(of("flask-all-cores")).toMatchObject({ met: true });
  });

  it("omit what could not be measured", () => {
    expect(of("unleash")).toMatchObject({ reached: "", met: undefined });
  });

  it("are met up to the target, and not beyond it", () => {
    const met = Object.fromEntries(verdicts(results).map((verdict) => [verdict.id, verdict.met]));
    expect(met).toMatchObject({
      miss: true,
      "cold-calls": false,
      "hits-read-nothing": false,
      memory: true,
      "flat-hit": true,
      "flat-miss": false,
      "start-up": true,
      "claims-memory": true,
      "claims-p99": true,
      flagd: true,
      import: true,
      "kill-switch": false,
    });
  });

  it("take the mean of two for the median, and the nearest rank for a percentile", () => {
    expect(spreadOf([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
    expect(percentile([...Array(100).keys()], 0.99)).toBe(98);
  });
});

describe("the benchmark's section on other flag servers", () => {
  it("states which server is faster for each load and which takes less memory, with versions and sizes", () => {
    const section = peersSection(results.peers, { flagd: "0.16.1" });
    expect(section).toContain(
      "- **Tidegate is faster for repeated callers**: 4.00 times the calls a second of flagd (by processor time 4.00).",
    );
    expect(section).toContain(
      "- **flagd is faster for new contexts**: 2.50 times the calls a second of Tidegate (by processor time 2.50).",
    );
    expect(section).toContain(
      "- **flagd takes less memory**: 70 MB resident after new contexts, where Tidegate takes 100 MB.",
    );
    expect(section).toContain("**flagd** 0.16.1 runs with its defaults. Its response has 8.0 kB");
  });

  it("states why a server was not measured", () => {
    const slices = results.peers.slices.filter(({ name }) => name.startsWith("Tidegate"));
    const section = peersSection({ slices, skipped: ["flagd is not on the PATH"], bytes: {} }, {});
    expect(section).toContain("- Skipped: flagd is not on the PATH\n");
    expect(section).not.toMatch(/faster|less memory/);
  });
});

it("checks the flags of other servers against the results of their rules", () => {
  const rules = FlagdRules.parse(flagsFile());
  expect(rules.faults).toEqual([]);
  for (let caller = 0; caller < 60; caller++) {
    const { targetingKey, ...attributes } = contextOf(caller);
    const { features } = rules.evaluate({ at: 0, targetingKey, attributes });
    const found = [...features].map(([key, { value, variant }]) => ({ key, value, variant }));
    expect(found).toEqual(rightFlags(contextOf(caller)));
  }
});
