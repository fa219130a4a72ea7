import type { DependencyContainer, InjectionToken } from "tsyringe";
import { EventLogUnavailable } from "../../domain/errors.ts";
import type { ConfirmingFeed } from "../../domain/evaluation/invalidation-feed.ts";
import type { Connection } from "../../infrastructure/connection.ts";
import type { Config } from "../config/config.ts";
import { DiKeys } from "./di-keys.ts";

/** The dependencies of the parts of a composition. */
export type Wiring = {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  /** Disposed of with the composition, in reverse order of creation. */
  readonly disposal: AsyncDisposableStack;
  /** Registers a factory for a key. The factory runs on first use. */
  readonly provide: <T>(token: InjectionToken<T>, create: (container: DependencyContainer) => T) => void;
};

export const connectionOf = (c: DependencyContainer, name: string): Connection =>
  named(c.resolve(DiKeys.Connections), name);

export const feedOf = (c: DependencyContainer, name: string): ConfirmingFeed => named(c.resolve(DiKeys.Feeds), name);

export function named<T>(all: ReadonlyMap<string, T>, connection: string): T {
  const found = all.get(connection);
  if (!found) throw new Error(`unknown connection "${connection}"`);
  return found;
}

/** The name under which the event log records the store of a connection. */
export const storeName = ({ stores }: Config, connection: string): string => named(stores, connection);

/**
 * The cause of an error for the log. For event log errors, whose messages to callers are fixed, the underlying cause.
 */
export function causeText(cause: unknown): string {
  if (cause instanceof EventLogUnavailable) return causeText(cause.cause);
  return cause instanceof Error ? cause.message : String(cause);
}
