import { setTimeout } from "node:timers/promises";
import type { Row } from "../row.ts";
import { percentile, spreadOf } from "../spread.ts";
import { startStreaming } from "./kit/streaming.ts";

const trials = Number(process.env["TRIALS"] ?? 300);
const now = () => performance.timeOrigin + performance.now();

/** From `SREM` in Redis to the event at a client. */
export async function measure(): Promise<readonly Row[]> {
  await using opened = new AsyncDisposableStack();
  const { redis, readers, stream } = await startStreaming(opened, 10);
  await readers.follow({ do: "open", url: stream, count: 1, isReading: true });
  const delays: number[] = [];
  for (let trial = 0; trial < trials; trial++) {
    const feature = `trial_${trial}`;
    const added = readers.follow({ do: "await", text: `"${feature}"` });
    await redis.sadd("global_features", feature);
    await added;
    // Another feature ends the set from which this one is missing.
    const removed = readers.follow({ do: "await", text: feature, isGone: true });
    await setTimeout(30 + Math.random() * 30);
    const at = now();
    await redis.srem("global_features", feature);
    delays.push((await removed).last - at);
  }
  const p99 = percentile(delays, 0.99);
  return [
    {
      asked: "`SREM` to the event at a client within 50 ms (p99)",
      reached: `${p99.toFixed(0)} ms (median ${spreadOf(delays).median.toFixed(1)} ms), in ${trials} trials`,
      isReached: p99 <= 50,
    },
  ];
}
