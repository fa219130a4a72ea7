import { isUtf8 } from "node:buffer";
import {
  maxMembers,
  maxStringBytes,
  type StoredValue,
  type StoredValues,
  tooLong,
  tooMany,
} from "../../domain/admin/stored-values.ts";
import { uncachedRead } from "../../domain/evaluation/cached-read.ts";
import { inOrder } from "../../domain/evaluation/feature.ts";
import type { EmptyStoreGuard } from "./empty-store-guard.ts";
import { expiry } from "./expiry.ts";
import type { RedisClient } from "./redis-client.ts";
import { redisFault } from "./redis-fault.ts";
import { Script } from "./script.ts";

const readScript = new Script("read-value", "no-writes");

type Reply = readonly [kind: Buffer, ttl: number, value?: Buffer | readonly Buffer[]];

/** Reads strings and sets of Redis. */
export function redisValues(redis: RedisClient, guard: EmptyStoreGuard): StoredValues {
  return {
    async read(key) {
      const at = redis.asOf();
      // One more than the limit, to detect larger values.
      const read = async () => (await readScript.runBuffer(redis, [key], [maxStringBytes, maxMembers + 1])) as Reply;
      const [kind, ttl, value] = await guard
        .watch(read, ([found]) => found.toString() !== "none")
        .catch((error) => redisFault(error, key));
      return uncachedRead(storedValue(kind.toString(), value), at, expiry(at, ttl));
    },
  };
}

function storedValue(kind: string, value: Reply[2]): StoredValue | undefined {
  if (kind === "none") return undefined;
  if (value === undefined) return { type: "unsupported", reason: `a ${kind}` };
  if (Buffer.isBuffer(value)) {
    if (value.length > maxStringBytes) return tooLong();
    return isUtf8(value) ? { type: "string", value: value.toString() } : notText("a string");
  }
  if (value.length > maxMembers) return tooMany();
  return value.every((member) => isUtf8(member))
    ? { type: "set", value: inOrder(value.map((member) => member.toString())) }
    : notText("a set with a member");
}

const notText = (what: string): StoredValue => ({ type: "unsupported", reason: `${what} that is not UTF-8` });
