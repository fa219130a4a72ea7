import type { Instant } from "./evaluation-context.ts";

/**
 * Invalidation feed: notifies of changed keys of a store, and of lost notifications.
 *
 * Time is divided into epochs. Within an epoch, listeners receive every change of a watched key in order. If a change
 * may have been missed, a new epoch starts, and reads of earlier epochs are no longer fresh. Reads outside an epoch
 * never are.
 */
export interface InvalidationFeed {
  /** The number of the epoch. */
  readonly epoch: number;
  /**
   * Increases with each notification and each new epoch. While it is the same, everything that was current still is.
   */
  readonly generation: number;
  /**
   * Whether all changes up to an instant within the freshness bound were notified, by the monotonic and by the wall
   * clock.
   */
  isLive(now: Instant): boolean;
  /**
   * The time up to which all changes of an epoch were notified, in milliseconds of the monotonic clock; `-Infinity` if
   * not known.
   */
  syncedUntil(epoch: number): number;
  /** Notifies of a change that this process made, before the store does. A false notification is harmless. */
  notify(key: string): void;
  /** Calls the listener with each changed key, and with `undefined` if all keys may have changed. */
  subscribe(listener: (key: string | undefined) => void): void;
  /** Calls the listener with each change of any key that ends an epoch without a notification. Omitted: none does. */
  onUnnamedChange?(listener: () => void): void;
}

/** Invalidation feed with confirmations from other processes. */
export interface ConfirmingFeed extends InvalidationFeed {
  /**
   * Resolves once every process on the store has received the changes made so far, or treats its reads as stale: when
   * all have confirmed, otherwise after the freshness bound. Never rejects.
   */
  confirm(): Promise<Receipt>;
  /** The processes on the store, as they answer now, within the freshness bound. Never rejects. */
  rollCall(): Promise<RollCall>;
}

/** A process of an instance. `instance` is the process that forked it, or its own. */
export type InstanceProcess = {
  readonly host: string;
  readonly instance: number;
  readonly pid: number;
  readonly version: string;
  readonly startedAt: Instant;
};

/**
 * Processes on a store: those that answered, once for each of their connections, the number of connections of earlier
 * versions, which do not name themselves, and of those that did not answer. `missing: undefined`: their number is not
 * known.
 */
export type RollCall = {
  readonly processes: readonly InstanceProcess[];
  readonly unnamed: number;
  readonly missing: number | undefined;
};

/**
 * Receipt of a change: how many connections of processes to the store have confirmed it, and how many have not.
 * `missing: undefined`: their number is not known. Each process has at least one connection.
 */
export type Receipt = { readonly confirmed: number; readonly missing: number | undefined };
