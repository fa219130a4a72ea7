import { setTimeout } from "node:timers/promises";
import type { Row } from "../row.ts";
import { idle } from "./kit/idle.ts";
import { adminToken, startStreaming } from "./kit/streaming.ts";

const count = 1_000;
/** Features of one change, so that the frames fill the buffers of the sockets. */
const features = Array.from({ length: 2_000 }, (_, index) => `a_feature_with_a_name_of_some_length_${index}`);
const longestMs = 90_000;

/** Clients that open a stream and read nothing, while the features change. */
export async function measure(): Promise<readonly Row[]> {
  await using opened = new AsyncDisposableStack();
  const { server, redis, readers, stream } = await startStreaming(opened, count);
  await redis.sadd("global_features", ...features);
  await idle(server);
  const isOpen = async () =>
    Number(/^tidegate_streams_open\{kind="features"\} (\d+)/m.exec(await metrics(server.url))?.[1]);
  const before = server.process.residentBytes();
  await readers.follow({ do: "open", url: stream, count, isReading: false, isAnonymous: true });
  let most = before;
  const startedAt = performance.now();
  for (let change = 0; (await isOpen()) > 0 && performance.now() - startedAt < longestMs; change++) {
    if (change % 2 === 0) await redis.srem("global_features", "feature_0");
    else await redis.sadd("global_features", "feature_0");
    await setTimeout(250);
    most = Math.max(most, server.process.residentBytes());
  }
  const open = await isOpen();
  const megabytes = (most - before) / 1e6;
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  return [
    {
      asked: `${count} readers that never read cost at most 50 MB`,
      reached: `${megabytes.toFixed(0)} MB more at most, with bodies of ${Math.round(features.join('","').length / 1_000)} kB`,
      isReached: megabytes <= 50,
      reason:
        "all readers share the evaluation, the body and the frame, and a stream has 7 kB. The rest is V8's heap: if its full collections come late, bodies of earlier changes wait for them.",
    },
    {
      asked: "they are dropped",
      reached: open === 0 ? `all, within ${seconds} s` : `${count - open} of them in ${seconds} s`,
      isReached: open === 0,
      reason:
        "a reader is cut 15 to 30 s after the buffers of the kernel are full, which hold up to some ten megabytes. On a busy machine, changes fill them more slowly.",
    },
  ];
}

async function metrics(url: string): Promise<string> {
  const response = await fetch(new URL("/metrics", url), { headers: { Authorization: `Bearer ${adminToken}` } });
  return response.text();
}
