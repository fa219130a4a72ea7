import type { Contestant } from "./contestants/contestant.ts";
import { type Load, load } from "./wrk.ts";

/**
 * The result of one contestant in one round. `cpuMicros` is its processor time per request, `residentBytes` its memory
 * right after, `failed` the number of failed requests in attempts that do not count otherwise.
 */
export type Slice = Omit<Load, "calls" | "rejected"> & {
  readonly name: string;
  readonly round: number;
  readonly connections: number;
  readonly cpuMicros: number;
  readonly residentBytes: number;
};

type Options = {
  readonly connections: readonly number[];
  readonly rounds?: number;
  readonly seconds?: number;
};

/** The number and the duration of slices, unless a measurement overrides them. */
export const rounds = Number(process.env["ROUNDS"] ?? 5);
const seconds = Number(process.env["SECONDS"] ?? 2);
const warmSeconds = 5;
/** Before each slice, because an idle server needs time to reach its speed. */
const settleSeconds = 2;
const attempts = 3;

/**
 * Measures contestants in turn, repeatedly, so that other work on the machine affects all of them. Each is warmed up
 * first, and a little before each slice. A slice with a failed request is measured again, and counted. Rejects if
 * requests fail in three attempts, or if a contestant responds wrongly before or after.
 */
export async function interleaved(contestants: readonly Contestant[], options: Options): Promise<Slice[]> {
  for (const { server, script, check } of contestants) {
    await check();
    await load(server.url, 32, warmSeconds, script);
  }
  const slices: Slice[] = [];
  for (let round = 1; round <= (options.rounds ?? rounds); round++) {
    for (const connections of options.connections) {
      for (const contestant of contestants) {
        const seen = await measured(contestant, connections, options.seconds ?? seconds);
        slices.push({ name: contestant.name, round, connections, ...seen });
        const rate = `${Math.round(seen.perSecond)} calls a second, ${seen.cpuMicros.toFixed(1)} µs each`;
        console.log(`round ${round}, ${connections} connections, ${contestant.name}: ${rate}`);
      }
    }
  }
  for (const { check } of contestants) await check();
  return slices;
}

async function measured(
  { name, server, script, isRejected = false }: Contestant,
  connections: number,
  duration: number,
): Promise<Omit<Slice, "name" | "round" | "connections">> {
  let failed = 0;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    await load(server.url, connections, settleSeconds, script);
    const before = server.process.cpuSeconds();
    const { calls, rejected, ...seen } = await load(server.url, connections, duration, script);
    const cpuMicros = ((server.process.cpuSeconds() - before) / calls) * 1_000_000;
    const failures = isRejected ? seen.failed - rejected : seen.failed;
    if (failures === 0) return { ...seen, failed, cpuMicros, residentBytes: server.process.residentBytes() };
    failed += failures;
    console.error(`*** ${name}, ${connections} connections: ${failures} of ${calls} calls failed ***`);
  }
  throw new Error(`${name} fails calls at ${connections} connections, in each of ${attempts} attempts`);
}
