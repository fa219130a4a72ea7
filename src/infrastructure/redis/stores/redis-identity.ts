import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { isErrorReply, redisFault } from "../redis-fault.ts";
import { identityKey } from "../redis-keys.ts";

const rereadMs = 1_000;

/**
 * Identity of a Redis database, written on the first read. If a database has lost its data, the identity that this
 * process has is written again. `undefined` if the user may not read or write it, and no other client has written it.
 */
export function redisIdentity(redis: Redis): () => Promise<string | undefined> {
  let identity: string | undefined;
  let readAt = Number.NEGATIVE_INFINITY;

  async function readOrWrite(own: string): Promise<string | undefined> {
    try {
      return (await redis.set(identityKey, own, "NX", "GET")) ?? own;
    } catch (error) {
      if (!(error instanceof Error) || !(isErrorReply(error, "NOPERM") || isErrorReply(error, "READONLY"))) throw error;
      return await readOnly();
    }
  }

  async function readOnly(): Promise<string | undefined> {
    try {
      return (await redis.get(identityKey)) ?? undefined;
    } catch (error) {
      if (error instanceof Error && isErrorReply(error, "NOPERM")) return undefined;
      throw error;
    }
  }

  return async () => {
    if (performance.now() - readAt < rereadMs) return identity;
    identity = await readOrWrite(identity ?? randomUUID()).catch((error) => redisFault(error, identityKey));
    readAt = performance.now();
    return identity;
  };
}
