import { errorMessage } from "../../domain/error-message.ts";
import { EventLogUnavailable } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { InstanceChannel } from "../../infrastructure/invalidation/instance-channel.ts";
import type { Log } from "../../infrastructure/logger.ts";
import type { connectRedis } from "../../infrastructure/redis/redis-connection.ts";
import type { Config } from "../config/config.ts";

/**
 * The parts that every area is made from. The container may replace the log, the channel, the timeout and the kind of
 * process.
 */
export type Wiring = {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  /** Disposed of with the composition, in reverse order of creation. */
  readonly disposal: AsyncDisposableStack;
  readonly log: Log;
  readonly channel: InstanceChannel;
  /** Limit for a command of a store, in milliseconds. */
  readonly commandTimeoutMs: number;
  /** Throws if the configuration has no connection to Redis. */
  readonly connectRedis: typeof connectRedis;
  /** Whether this process serves, not runs one command: reads are cached, and the event log has a thread. */
  readonly isService: boolean;
  readonly now: () => Instant;
  readonly newId: () => string;
};

/** The member of a connection. Throws if no such connection is configured. */
export function named<T>(all: ReadonlyMap<string, T>, connection: string): T {
  const found = all.get(connection);
  if (!found) throw new Error(`unknown connection "${connection}"`);
  return found;
}

/**
 * The cause of an error for the log. For event log errors, whose messages to callers are fixed, the underlying cause.
 */
export function causeText(cause: unknown): string {
  if (cause instanceof EventLogUnavailable) return causeText(cause.cause);
  return errorMessage(cause);
}
