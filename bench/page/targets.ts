import { names } from "../measurements/rates.ts";
import type { Results } from "../results.ts";
import type { Slice } from "../rounds.ts";
import { percentile, spreadOf } from "../spread.ts";
import { mb } from "./figures.ts";

/** A target, the result, and whether it is met; `undefined` if it was not measured. */
export type Verdict = {
  /** The key of the reason in `misses.yaml`. */
  readonly id: string;
  readonly asked: string;
  readonly reached: string;
  readonly met: boolean | undefined;
};

/** The slices of one name, in the order of the rounds. */
export const slicesOf = (slices: readonly Slice[], name: string, connections: number): readonly Slice[] =>
  slices.filter((slice) => slice.name === name && slice.connections === connections);

/** The ratio of two figures, per round. */
export function ratios(of: readonly Slice[], to: readonly Slice[], pick: (slice: Slice) => number): readonly number[] {
  return of.flatMap((slice) => {
    const base = to.find(({ round }) => round === slice.round);
    return base ? [pick(slice) / pick(base)] : [];
  });
}

/** The slices of the name with the highest median of requests per second. */
export function best(slices: readonly Slice[], candidates: readonly string[], connections: number): readonly Slice[] {
  const median = (each: readonly Slice[]) => spreadOf(each.map(({ perSecond }) => perSecond)).median;
  return candidates
    .map((name) => slicesOf(slices, name, connections))
    .filter(({ length }) => length > 0)
    .reduce((a, b) => (a.length > 0 && median(a) >= median(b) ? a : b), []);
}

const perSecond = (slice: Slice): number => slice.perSecond;
const p99 = (slice: Slice): number => slice.p99;
/** The ratio of costs for a thousand times as many users that still counts as equal. */
const flatWithin = 1.2;

/** All targets, with their results. */
export function verdicts(results: Results): readonly Verdict[] {
  const { rates, allCores, roundTrips, memory, flatCost, startUp, killSwitch, claims, flagd, importing } = results;

  /** The ratio of the rates of hits, by number of connections; and the same ratio by processor time. */
  function times(
    id: string,
    asked: string,
    min: number,
    slices: readonly Slice[],
    of: string[],
    to: string[],
  ): Verdict {
    const found = [...new Set(slices.map(({ connections }) => connections))].flatMap((connections) => {
      const [own, other] = [best(slices, of, connections), best(slices, to, connections)];
      if (other.length === 0) return [];
      const byTime = spreadOf(ratios(other, own, ({ cpuMicros }) => cpuMicros)).median;
      return [{ connections, median: spreadOf(ratios(own, other, perSecond)).median, byTime }];
    });
    if (found.length === 0) return { id, asked, reached: "", met: undefined };
    const short = (ratio: number) => ratio.toFixed(ratio < 10 ? 2 : 1);
    const reached = found.map(
      ({ connections, median, byTime }) =>
        `${short(median)} at ${connections} connections (by processor time ${short(byTime)})`,
    );
    return { id, asked, reached: reached.join(", "), met: found.every(({ median }) => median >= min) };
  }

  /** The ratio of the processor times of a request, at 32 connections. */
  function costs(id: string, asked: string, max: number, of: string, to: string): Verdict {
    const [own, other] = [of, to].map((name) => slicesOf(rates.slices, name, 32));
    const found = ratios(own ?? [], other ?? [], ({ cpuMicros }) => cpuMicros);
    if (found.length === 0) return { id, asked, reached: "", met: undefined };
    const { median } = spreadOf(found);
    return { id, asked, reached: `${median.toFixed(2)} times`, met: median <= max };
  }

  const flask = [names.seedOne, names.seedTwo];
  const namesOf = (prefix: string) => [
    ...new Set(allCores.slices.map(({ name }) => name).filter((name) => name.startsWith(prefix))),
  ];
  const slow = spreadOf(
    ratios(slicesOf(rates.slices, names.hit, 32), slicesOf(rates.slices, names.bare, 32), p99),
  ).median;
  const flat = (kind: "hit" | "miss") => {
    const [first, last] = [flatCost[0]?.[kind] ?? [], flatCost.at(-1)?.[kind] ?? []];
    return spreadOf(last.map((micros, round) => micros / (first[round] ?? Number.NaN))).median;
  };
  const sizes = `${flatCost[0]?.users.toLocaleString("en")} to ${flatCost.at(-1)?.users.toLocaleString("en")} users`;
  const { median: start } = spreadOf(startUp.tidegate.map((millis, run) => millis / (startUp.bare[run] ?? Number.NaN)));
  const [alone, beside] = [spreadOf(claims.alone).median, spreadOf(claims.beside).median];
  const slowed = spreadOf(claims.beside.map((millis, round) => millis / (claims.alone[round] ?? Number.NaN))).median;
  const largest = Math.max(...claims.resident.map(({ bytes }) => bytes));
  const [plainFlags, richFlags] = [spreadOf(flagd.plain).median, spreadOf(flagd.rich).median];
  const missed99 = spreadOf(
    ratios(slicesOf(rates.slices, names.miss, 32), slicesOf(rates.slices, names.commands, 32), p99),
  );
  const [killed99, killed999] = [percentile(killSwitch.millis, 0.99), percentile(killSwitch.millis, 0.999)];
  const { miss, hits, cold } = roundTrips;
  return [
    times(
      "hit-rate",
      "A hit has 0.90 of the calls a second of bare `node:http`",
      0.9,
      rates.slices,
      [names.hit],
      [names.bare],
    ),
    {
      id: "hit-p99",
      asked: "A hit's p99 is at most 1.3 times that of bare `node:http`, at 32 connections",
      reached: slow.toFixed(2),
      met: slow <= 1.3,
    },
    times(
      "flask-one-core",
      "On one core, a hit has 20 times the calls a second of the Flask design",
      20,
      rates.slices,
      [names.hit],
      flask,
    ),
    times(
      "flask-all-cores",
      "On all cores, 12 times those of its best setting",
      12,
      allCores.slices,
      namesOf("Tidegate"),
      namesOf("Flask"),
    ),
    times(
      "unleash",
      "On one core, 15 times those of Unleash's frontend API",
      15,
      rates.slices,
      [names.hit],
      [names.unleash],
    ),
    costs(
      "miss-commands",
      "A miss takes at most 1.25 times the processor time of a plain server that sends five commands",
      1.25,
      names.miss,
      names.commands,
    ),
    {
      id: "miss-p99",
      asked: "A miss's p99 is at most 1.5 times that of the plain server, at 32 connections",
      reached: missed99.median.toFixed(2),
      met: Number.isNaN(missed99.median) ? undefined : missed99.median <= 1.5,
    },
    costs(
      "unknown-cost",
      "An unknown token takes at most 4 times the processor time of bare `node:http`",
      4,
      names.unknown,
      names.bare,
    ),
    costs(
      "hit-floor",
      "A hit takes at most 1.05 times the processor time of a plain map of responses",
      1.05,
      names.hit,
      names.map,
    ),
    costs(
      "miss-cost",
      "A miss takes at most 4.5 times the processor time of bare `node:http`",
      4.5,
      names.miss,
      names.bare,
    ),
    costs(
      "stale-cost",
      "A stale answer takes at most 1.3 times the processor time of a hit",
      1.3,
      names.stale,
      names.hit,
    ),
    costs("304-cost", "A 304 takes at most 0.95 times the processor time of a hit", 0.95, names.notModified, names.hit),
    {
      id: "miss",
      asked: "A miss waits for each Redis at most once",
      reached: `${miss.users} for users, ${miss.features} for features`,
      met: Math.max(miss.users, miss.features) <= 1,
    },
    {
      id: "cold-calls",
      asked: `${cold.calls.toLocaleString("en")} concurrent cold calls of a user send at most one command a key`,
      reached: `${cold.commands} commands for ${cold.keys} keys, ${cold.readsPerKey} read a key`,
      met: cold.commandsPerKey <= 1,
    },
    {
      id: "hits-read-nothing",
      asked: "A hit reads nothing of Redis",
      reached: `${hits.reads} reads in ${hits.calls.toLocaleString("en")} hits`,
      met: hits.reads === 0,
    },
    {
      id: "memory",
      asked: `${memory.users.toLocaleString("en")} cached users fit in 110 MB of heap and external memory, 350 MB resident`,
      reached: `${mb(memory.full.used)} MB, ${mb(memory.full.resident)} MB resident`,
      met: memory.full.used <= 110e6 && memory.full.resident <= 350e6,
    },
    ...(["hit", "miss"] as const).map((kind) => ({
      id: `flat-${kind}`,
      asked: `A ${kind} costs the same (within ${Math.round((flatWithin - 1) * 100)} %) from ${sizes}`,
      reached: `${flat(kind).toFixed(2)} times`,
      met: flat(kind) <= flatWithin,
    })),
    {
      id: "start-up",
      asked: "From its start to its first response in at most 4.5 times the time of a bare script",
      reached: `${start.toFixed(1)} times`,
      met: start <= 4.5,
    },
    {
      id: "claims-memory",
      asked:
        "Resident memory after 100,000 unknown tokens, then locations, client ids and values of an attribute: 450 MB",
      reached: `${mb(largest)} MB`,
      met: largest <= 450e6,
    },
    {
      id: "claims-p99",
      asked: "Beside calls with ever different locations, a hit's p99 is at most 3 times that without them, or 10 ms",
      reached: `${slowed.toFixed(1)} times (${alone.toFixed(1)} and ${beside.toFixed(1)} ms)`,
      met: slowed <= 3 || beside <= 10,
    },
    {
      id: "flagd",
      asked: "1,000 flagd flags for a new context in 0.5 ms; with `fractional` and `sem_ver` in 1.5 ms",
      reached: `${plainFlags.toFixed(2)} and ${richFlags.toFixed(2)} ms`,
      met: plainFlags <= 0.5 && richFlags <= 1.5,
    },
    {
      id: "import",
      asked: `An import of ${importing.users.toLocaleString("en")} users has 0.3 of the rate of \`redis-cli --pipe\``,
      reached: importing.ratio.median.toFixed(2),
      met: importing.ratio.median >= 0.3,
    },
    {
      id: "kill-switch",
      asked: "A raw `SREM` is seen in four processes in 20 ms (p99) and 50 ms (p99.9)",
      reached: `${killed99.toFixed(1)} and ${killed999.toFixed(1)} ms`,
      met: killed99 <= 20 && killed999 <= 50,
    },
  ];
}
