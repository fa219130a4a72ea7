import { ownPrefix } from "../stores/store-keys.ts";

/** String: the identity of a database. A copy of the database has the same. */
export const identityKey = `${ownPrefix}identity`;

/** Channel of confirmations for one feed. */
export const confirmedChannel = (feed: string): string => `${ownPrefix}confirmed:${feed}`;

export const outboxPrefix = `${ownPrefix}outbox:`;

/** String: the records of sets that a load created together in one epoch. See {@link ./import/load-entry.ts}. */
export const loadEntryKey = (epoch: string): string => `${loadEntryPrefix}${epoch}`;
const loadEntryPrefix = `${outboxPrefix}load:`;
export const isLoadEntry = (key: string): boolean => key.startsWith(loadEntryPrefix);

/** String: the progress of a load. */
export const loadKey = (name: string): string => `${ownPrefix}load:${name}`;

/** Hash: the metadata of each token by its id, as JSON. Contains no token. */
export const tokensKey = `${ownPrefix}tokens`;

/** String with a lifetime of 25 h: the request of an idempotency key. */
export const claimKey = (name: string): string => `${ownPrefix}claim:${name}`;

/** String with a lifetime: the holder of a lease. */
export const leaseKey = (name: string): string => `${ownPrefix}lease:${name}`;

/** String: a secret that all processes share. */
export const secretKey = (name: string): string => `${ownPrefix}secret:${name}`;

/**
 * Returns the key. Throws if it has braces, which would change the tag of its bookkeeping keys. No template gives one.
 */
export function recordable(key: string): string {
  if (/[{}]/.test(key)) throw new Error(`cannot record changes of ${key}: it contains braces; rename the key`);
  return key;
}

/**
 * Bookkeeping keys of a key that is {@link recordable}. They share its hash slot (the tag in braces is the whole key),
 * so that one script may use them all in a Redis Cluster too.
 */
export function bookkeeping(key: string) {
  const tag = `{${recordable(key)}}`;
  return {
    /**
     * String: epoch, number, time (milliseconds), replication id of the server, and digest (empty if there is a
     * shadow).
     */
    head: `${ownPrefix}head:${tag}`,
    /** Set: the members at the last record. */
    shadow: `${ownPrefix}shadow:${tag}`,
    /** List of records as JSON, oldest first. Redis deletes it when it is empty. */
    outbox: `${outboxPrefix}${tag}`,
    /** String with a lifetime of a day: the response of a change with this idempotency key. */
    once: (name: string) => `${ownPrefix}once:${tag}:${name}`,
    /** Tokens only. Hash: token id by the digest of its key. */
    ids: `${ownPrefix}ids:${tag}`,
    /** Tokens only. Sorted set of `user\0id`. */
    users: `${ownPrefix}users:${tag}`,
  };
}

/** Keys for the items of a feed, by source name. All are in one hash slot. */
export const itemKeys = (feed: string) => ({
  /** Hash: each item by its id, as JSON. */
  items: `${ownPrefix}items:{${feed}}`,
  /** Sorted set: the ids, by the revision of their last put. */
  order: `${ownPrefix}items:{${feed}}:order`,
  /** Hash: the epoch, the number of the last revision, and the poll state, as JSON. */
  head: `${ownPrefix}items:{${feed}}:head`,
});
