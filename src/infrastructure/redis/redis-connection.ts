import { hash } from "node:crypto";
import { once } from "node:events";
import type { Redis } from "ioredis";
import { afterTimeout } from "../../application/async/deadline.ts";
import type { InstanceProcess } from "../../domain/evaluation/invalidation-feed.ts";
import type { Connection } from "../connection.ts";
import type { Log } from "../logger.ts";
import { OperationFailed } from "../operation-failed.ts";
import { FilledStores } from "../stores/filled-stores.ts";
import { isOwnKey } from "../stores/store-keys.ts";
import { defaultCommandTimeoutMs } from "./command-timeout.ts";
import { EmptyStoreGuard } from "./empty-store-guard.ts";
import { RedisClient } from "./redis-client.ts";
import { replyText } from "./redis-fault.ts";
import { RedisInvalidationFeed } from "./redis-invalidation-feed.ts";
import { outboxPrefix } from "./redis-keys.ts";
import { redisLease } from "./redis-lease.ts";
import { redisValues } from "./redis-values.ts";
import { scan } from "./scan.ts";
import { redisDocumentStore } from "./stores/redis-document-store.ts";
import { redisFeatureRegister } from "./stores/redis-feature-register.ts";
import { redisFeatureSets } from "./stores/redis-feature-sets.ts";
import { redisFeatureStore } from "./stores/redis-feature-store.ts";
import { redisIdempotencyKeys } from "./stores/redis-idempotency-keys.ts";
import { redisIdentity } from "./stores/redis-identity.ts";
import { redisItemStore } from "./stores/redis-item-store.ts";
import { redisOutbox } from "./stores/redis-outbox.ts";
import { RedisReads } from "./stores/redis-reads.ts";
import { redisRules } from "./stores/redis-rules.ts";
import { redisSecrets } from "./stores/redis-secrets.ts";
import { redisStoredLocations } from "./stores/redis-stored-locations.ts";
import { redisTokenResolver } from "./stores/redis-token-resolver.ts";
import { redisTokenStore } from "./stores/redis-token-store.ts";

const maxBackoffMs = 1_000;
const connectedWithinMs = 2_000;
const checkRoleEveryMs = 500;
/**
 * Time after which a rejected write replaces the connection to a replica: the address may lead to the primary again.
 */
const keepReplicaMs = 10_000;

/** Receives the duration of a command, in seconds. */
type RecordDuration = (seconds: number) => void;

type RedisOptions = {
  /** Called for each command that was sent. */
  readonly recordDuration?: RecordDuration;
  /** Command timeout, in milliseconds. */
  readonly commandTimeoutMs?: number;
  /** Stores whether the store ever held data. */
  readonly filled?: FilledStores | undefined;
  /** This process, as other instances list it. */
  readonly process?: InstanceProcess;
};

/**
 * Connects to a Redis server in the background and retries forever. While disconnected, commands are rejected at once.
 * No command is sent twice. A command without a reply times out, by default after 1 s.
 */
export function connectRedis(name: string, url: string, log: Log, options: RedisOptions = {}): Connection {
  const { commandTimeoutMs = defaultCommandTimeoutMs } = options;
  let leaveReplicaAt = Number.NEGATIVE_INFINITY;
  const redis = new TimedRedis(url, {
    // A server that accepts and never responds would hold the socket forever.
    socketTimeout: commandTimeoutMs,
    connectTimeout: 500,
    keepAlive: 5_000,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(maxBackoffMs, 25 * 2 ** attempt) * (0.5 + Math.random() / 2),
    maxLoadingRetryTime: 500,
    reconnectOnError: ({ message }) =>
      /^(LOADING|MASTERDOWN)/.test(message) || (message.startsWith("READONLY") && performance.now() >= leaveReplicaAt)
        ? 1
        : false,
    // Commands of one turn of the event loop share one round trip.
    enableAutoPipelining: true,
  });
  redis.recordDuration = options.recordDuration;
  redis.commandTimeoutMs = commandTimeoutMs;
  let closing = false;
  redis.on("ready", () => {
    leaveReplicaAt = redis.isReplica ? performance.now() + keepReplicaMs : Number.NEGATIVE_INFINITY;
  });
  const roleTimer = setInterval(() => {
    if (redis.status === "ready") redis.hello().catch(() => {});
  }, checkRoleEveryMs).unref();
  const invalidations = (prefixes: readonly string[]) =>
    new RedisInvalidationFeed(name, url, prefixes, log, {
      isPrimary: () => redis.isReplica === false,
      publish: (channel, message) => redis.publish(channel, message),
      process: options.process,
    });
  logOutages(redis, name, log, () => closing);
  const id = idOf(url);
  const guard = new EmptyStoreGuard(redis, name, log, id, options.filled ?? new FilledStores());
  const reads = new RedisReads(redis, guard);
  const sets = redisFeatureSets(reads);
  const changes = redisFeatureStore(redis, guard);
  const documents = redisDocumentStore(redis, guard);
  return {
    sets,
    storedLocations: redisStoredLocations(redis, guard, sets),
    values: redisValues(redis, guard),
    index: changes,
    changes,
    idempotencyKeys: redisIdempotencyKeys(redis),
    items: redisItemStore(redis),
    register: redisFeatureRegister(redis, guard),
    secrets: redisSecrets(redis),
    documents,
    rules: redisRules(redis, guard),
    tokenResolver: (keyOf) => redisTokenResolver(redis, keyOf, reads),
    tokenStore: (keyOf) => redisTokenStore(redis, keyOf),
    outbox: () => redisOutbox(redis, invalidations([outboxPrefix])),
    invalidations,
    connected: async () => {
      await connected(redis, name);
      await guard.probe();
    },
    onConnect: (listener) => void redis.on("ready", listener).on("role", listener),
    check: async () => {
      await redis.ping();
      await guard.demandFilled();
    },
    identity: redisIdentity(redis),
    probe: async ({ sets, collections, tokenKey }) => {
      await Promise.all([
        ...sets.map((key) => changes.probe(key)),
        ...collections.map((collection) => documents.probe(collection)),
        ...(tokenKey ? [redisTokenStore(redis, tokenKey).probe()] : []),
      ]);
    },
    isEmpty: () => isEmpty(redis),
    accept: () => guard.accept(),
    lease: (leaseName) => redisLease(redis, leaseName),
    remote: { id },
    [Symbol.asyncDispose]: async () => {
      closing = true;
      clearInterval(roleTimer);
      redis.disconnect();
    },
  };
}

async function isEmpty(redis: Redis): Promise<boolean> {
  for await (const page of scan(redis, "")) if (!page.every(isOwnKey)) return false;
  return true;
}

/** Digest of the store's address, without the password, which could be guessed from it. */
function idOf(url: string): string {
  const { host, pathname } = new URL(url);
  return hash("sha256", `${host}${pathname}`, "base64url");
}

/**
 * Measures commands and limits their time. A reply that arrived while the event loop was blocked counts as in time,
 * unlike with the client's own `commandTimeout`.
 */
class TimedRedis extends RedisClient {
  recordDuration: RecordDuration | undefined;
  commandTimeoutMs = defaultCommandTimeoutMs;

  override sendCommand(...sent: Parameters<RedisClient["sendCommand"]>): unknown {
    const [command] = sent;
    const isMeasured = this.status === "ready" && command.name !== "hello";
    const startedAt = performance.now();
    const deadline = afterTimeout(this.commandTimeoutMs, () => {
      if (!command.isSettled) command.reject(new Error("Command timed out"));
    });
    const settled = () => {
      deadline.end();
      if (isMeasured) this.recordDuration?.((performance.now() - startedAt) / 1_000);
    };
    command.promise.then(settled, settled);
    return super.sendCommand(...sent);
  }
}

async function connected(redis: RedisClient, name: string): Promise<void> {
  if (redis.status === "ready") return;
  try {
    await once(redis, "ready", { signal: AbortSignal.timeout(connectedWithinMs) });
  } catch (cause) {
    const reason = cause instanceof Error && cause.name !== "AbortError" ? replyText(cause) : "no response";
    const fault = redis.handshakeFault ?? `${reason}; start the server, or fix the url`;
    throw new OperationFailed(`connection "${name}" cannot use Redis: ${fault}`);
  }
}

/** Logs the first failure of an outage, and each rejected handshake that differs from the previous one. */
function logOutages(redis: RedisClient, connection: string, log: Log, closing: () => boolean): void {
  let isLost = false;
  let rejected: string | undefined;
  redis.on("ready", () => {
    isLost = false;
    rejected = undefined;
    log.info({ connection }, "connected to Redis");
  });
  const lost = (cause: string) => {
    if (closing()) return;
    const { handshakeFault } = redis;
    if (handshakeFault !== undefined && handshakeFault !== rejected) {
      rejected = handshakeFault;
      log.error({ connection, cause: handshakeFault }, "Redis rejected the connection; reconnecting");
    } else if (!isLost) {
      log.warn({ connection, cause }, "Redis connection lost; reconnecting");
    }
    isLost = true;
  };
  redis.on("error", (error) => lost(replyText(error)));
  redis.on("close", () => lost("the connection was closed"));
}
