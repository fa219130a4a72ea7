import type { DependencyContainer, InjectionToken } from "tsyringe";
import { EventLogUnavailable } from "../../domain/errors.ts";
import type { ConfirmingFeed } from "../../domain/evaluation/invalidation-feed.ts";
import type { Connection } from "../../infrastructure/connection.ts";
import type { Config } from "../config/config.ts";
import { DiKeys } from "./di-keys.ts";

/** What the parts of a composition are put together with. */
export type Wiring = {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  /** What is made with it is closed with the composition, last made first. */
  readonly disposal: AsyncDisposableStack;
  /** Says how to make what stands behind a token, when it is first asked for. */
  readonly provide: <T>(token: InjectionToken<T>, create: (container: DependencyContainer) => T) => void;
};

export const connectionOf = (c: DependencyContainer, name: string): Connection =>
  named(c.resolve(DiKeys.Connections), name);

export const feedOf = (c: DependencyContainer, name: string): ConfirmingFeed => named(c.resolve(DiKeys.Feeds), name);

export function named<T>(all: ReadonlyMap<string, T>, connection: string): T {
  const found = all.get(connection);
  if (!found) throw new Error(`no connection "${connection}" is configured; declare it under connections`);
  return found;
}

/** Under which name the activity log knows the store of a connection. */
export const storeName = ({ stores }: Config, connection: string): string => named(stores, connection);

/** What is wrong, for the log: of the activity log, which callers are told of in fixed words, what is behind that. */
export function causeText(cause: unknown): string {
  if (cause instanceof EventLogUnavailable) return causeText(cause.cause);
  return cause instanceof Error ? cause.message : String(cause);
}
