import { readFileSync, writeFileSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Redis } from "ioredis";
import { parse, stringify } from "yaml";
import { startFilledRedis } from "../../contestants/tidegate.ts";
import type { Server } from "../../process.ts";
import { startOnRecorded } from "./idle.ts";
import { StreamReaders } from "./stream-readers.ts";

export const adminToken = "a-credential-for-the-benchmark";

/** A worker that allows this many streams of one address, its Redis, and a process for their readers. */
export type Streaming = {
  readonly server: Server;
  readonly redis: Redis;
  readonly readers: StreamReaders;
  /** URL of the stream of features. */
  readonly stream: string;
};

export async function startStreaming(opened: AsyncDisposableStack, streams: number): Promise<Streaming> {
  const redisUrl = await startFilledRedis(opened);
  const folder = opened.use(await mkdtempDisposable(join(tmpdir(), "tidegate-streams-"))).path;
  const file = join(folder, "streams.yaml");
  const config = parse(readFileSync(resolve(import.meta.dirname, "../../../config/tidegate.yaml"), "utf8"));
  config.server.streams = { perCaller: 10, perAddress: streams, perProcess: streams };
  writeFileSync(file, stringify(config));
  const env = { TIDEGATE_CONFIG: file, TIDEGATE_ADMIN_TOKEN: adminToken };
  const server = await startOnRecorded(opened, redisUrl, folder, { env });
  const redis = new Redis(redisUrl);
  opened.defer(() => redis.disconnect());
  const readers = opened.use(new StreamReaders());
  return { server, redis, readers, stream: server.url.replace("/features", "/features/stream") };
}
