import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { v7 as uuidv7 } from "uuid";
import { EvaluateFeatures } from "../../src/application/evaluation/evaluate-features.ts";
import { EvaluateSources } from "../../src/application/evaluation/evaluate-sources.ts";
import { explicitContext } from "../../src/application/evaluation/identify-caller.ts";
import { type Composition, compose } from "../../src/bootstrap/composition/container.ts";
import { DiKeys } from "../../src/bootstrap/composition/di-keys.ts";
import { loadConfig } from "../../src/bootstrap/config/config.ts";
import { maxInBatch } from "../../src/domain/admin/batch.ts";
import type { Json } from "../../src/domain/evaluation/feature.ts";
import type { Row } from "../row.ts";
import { percentile } from "../spread.ts";

const schedules = 10_000;
const granted = 20;
const boundaries = 60;
const betweenBoundariesMs = 50;
const calls = 3_000;

const zones = ["Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"];
const rules = [
  "FREQ=WEEKLY;BYDAY=FR",
  "FREQ=DAILY",
  "FREQ=WEEKLY;BYDAY=SA,SU",
  "FREQ=MONTHLY;BYMONTHDAY=31",
  "FREQ=MONTHLY;BYDAY=-1FR",
  "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
  "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
];
const gated = (gates: string) => `{ name: global, kind: set, connection: features, key: global_features${gates} }`;

/**
 * The cost of 10,000 schedules, as a gate, for a request without a cached response, in one process over SQLite. Every
 * tenth rule is unique. Then some of them start one after the other, and the first request after each is measured.
 */
export async function measure(): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-bench-"));
  try {
    await using stack = new AsyncDisposableStack();
    const opened = async (name: string, sources: string) => {
      const file = join(folder, `${name}.yaml`);
      const connections = `connections: { features: { kind: sqlite, file: "${join(folder, "store.db")}" } }`;
      writeFileSync(file, `log: { level: silent }\n${connections}\nsources:\n${sources}`);
      const env = { TIDEGATE_DATA: folder };
      return stack.use(await compose(await loadConfig(file, env), env));
    };
    const without = await opened("without", `  - ${gated("")}\n`);
    await fill(without);
    const gate = "{ name: times, kind: schedule, connection: features, role: gate, default: allow }";
    const withThem = await opened("with", `  - ${gated(", gatedBy: [times]")}\n  - ${gate}\n`);
    return await compared(cold(without), cold(withThem));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function compared(without: () => Promise<unknown>, withThem: () => Promise<unknown>): Promise<readonly Row[]> {
  const preparing = await timed(withThem);
  const times: { readonly without: number[]; readonly withThem: number[] } = { without: [], withThem: [] };
  await setTimeout(200);
  for (let call = 0; call < calls; call++) {
    times.without.push(await timed(without));
    times.withThem.push(await timed(withThem));
    // The invalidation feed is processed in between, as between the requests of a service.
    await setImmediate();
  }
  const afterBoundaries: number[] = [];
  for (let boundary = 0; boundary < boundaries; boundary++) {
    const next =
      firstBoundary + Math.ceil((Date.now() + 5 - firstBoundary) / betweenBoundariesMs) * betweenBoundariesMs;
    await setTimeout(Math.max(1, next - Date.now() - 2));
    while (Date.now() < next);
    afterBoundaries.push(await timed(withThem));
  }
  const added = (part: number): number => percentile(times.withThem, part) - percentile(times.without, part);
  const worst = Math.max(...afterBoundaries);
  const ms = (value: number): string => `${value.toFixed(value < 1 ? 3 : 1)} ms`;
  return [
    {
      asked: "10,000 schedules cost a cold call at most 1 ms",
      reached: `${ms(added(0.5))} more (median; ${ms(added(0.99))} at p99) than the ${ms(percentile(times.without, 0.5))} without; the first call after a start, which all are read and parsed for, took ${ms(preparing)}`,
      isReached: added(0.5) <= 1,
    },
    {
      asked: "nor does the first call after a boundary of one of them cost more than that",
      reached: `${ms(percentile(afterBoundaries, 0.5))} in all (median of ${boundaries}; ${ms(worst)} at most)`,
      isReached: percentile(afterBoundaries, 0.5) <= 1,
    },
  ];
}

/** An anonymous request without a cached response. */
function cold(composition: Composition): () => Promise<unknown> {
  const { identifyCaller, sources, sourceStates, contextFields } = composition.get(DiKeys.Evaluation);
  const features = new EvaluateFeatures(
    identifyCaller,
    new EvaluateSources(
      sources.map((source) => ({ ...source, timeoutMs: 60_000 })),
      sourceStates,
    ),
    contextFields,
    { get: () => undefined, set: () => {} },
  );
  return () => features.evaluate(undefined, explicitContext({}));
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await call();
  return performance.now() - start;
}

/** From then on, one starts at intervals. */
const firstBoundary = Math.ceil(Date.now() / 1_000) * 1_000;

async function fill(composition: Composition): Promise<void> {
  const connection = composition.get(DiKeys.Stores).connections.get("features");
  if (!connection) throw new Error("there is no connection");
  const names = Array.from({ length: granted }, (_, index) => `feature_${index}`);
  const set = { key: "global_features", personal: false, add: names, remove: [] };
  await connection.changes.apply({ id: uuidv7(), by: "bench", ...set });
  const load = uuidv7();
  for (let from = 0; from < schedules; from += maxInBatch) {
    const items = Array.from({ length: maxInBatch }, (_, index) => ({
      collection: "schedules",
      name: `feature_${from + index}`,
      value: scheduleOf(from + index),
    }));
    await connection.documents.load({ load, by: "bench", from, to: from + maxInBatch, items });
  }
}

function scheduleOf(index: number): Json {
  if (index % 5 === 0) {
    const startsAt = new Date(firstBoundary + (index / 5) * betweenBoundariesMs).toISOString();
    return { windows: [{ startsAt }] };
  }
  const pad = (value: number): string => `${value}`.padStart(2, "0");
  const window = {
    recurrence: rules[index % rules.length] ?? "",
    from: `${pad(index % 24)}:${pad(index % 60)}`,
    to: `${pad((index + 5) % 24)}:${pad((index * 7) % 60)}`,
    timeZone: zones[index % zones.length] ?? "",
    ...(index % 10 === 1
      ? { startsOn: new Date(Date.UTC(2024, 0, 1 + (index % 700))).toISOString().slice(0, 10) }
      : {}),
  };
  return { windows: [window] };
}
