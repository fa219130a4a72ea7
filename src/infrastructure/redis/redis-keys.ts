/** What all keys begin with that are Tidegate's own, but for the set of the kill switch. */
export const ownPrefix = "tidegate:";
/** The set of the kill switch; sets whose keys go on from here with a colon are people's too. */
export const killedKey = `${ownPrefix}killed`;

/** Whether a key, or all keys that begin with this text, are Tidegate's own: no source reads them, and no token has one. */
export const isOwnKey = (text: string): boolean =>
  text.startsWith(ownPrefix) && text !== killedKey && !text.startsWith(`${killedKey}:`);

/** A string: which store a database is. A copy of the database has it too. */
export const identityKey = `${ownPrefix}identity`;

/** Channels of confirmations: one for each feed that asks for them. */
export const confirmedChannel = (feed: string): string => `${ownPrefix}confirmed:${feed}`;

export const outboxPrefix = `${ownPrefix}outbox:`;

/** A string: the records of sets that were loaded together, and so began an epoch together; see {@link ./import/load-entry.ts}. */
export const loadEntryKey = (epoch: string): string => `${loadEntryPrefix}${epoch}`;
const loadEntryPrefix = `${outboxPrefix}load:`;
export const isLoadEntry = (key: string): boolean => key.startsWith(loadEntryPrefix);

/** A string: how far a load has come. */
export const loadKey = (name: string): string => `${ownPrefix}load:${name}`;

/** All that is kept of tokens but the tokens: a hash of what may be told of each, by its id, in JSON. */
export const tokensKey = `${ownPrefix}tokens`;

/** A string, for a day: what a name was used for. */
export const claimKey = (name: string): string => `${ownPrefix}claim:${name}`;

/** The documents of a collection: a hash of each by its name, in JSON. */
export const collectionKey = (collection: string): string => `${ownPrefix}documents:${collection}`;

/**
 * The keys under which Tidegate keeps what it knows of a key: they share its hash slot (the tag in braces is the whole key), so that
 * one script may use them all in a Redis Cluster too. Throws for a key with braces, which would have another tag; no key
 * template makes one.
 */
export function bookkeeping(key: string) {
  if (/[{}]/.test(key)) throw new Error(`what is done to ${key} cannot be recorded, for its braces; rename it`);
  const tag = `{${key}}`;
  return {
    /** A string: the epoch, the number, when that was (milliseconds), the run of the server, and a digest (empty where there is a shadow). */
    head: `${ownPrefix}head:${tag}`,
    /** A set: what the set held when it was recorded last. */
    shadow: `${ownPrefix}shadow:${tag}`,
    /** A list of records as JSON, oldest first. It vanishes when it is empty. */
    outbox: `${outboxPrefix}${tag}`,
    /** A string, for a day: the answer to the change that was made under this name. */
    once: (name: string) => `${ownPrefix}once:${tag}:${name}`,
    /** Of tokens. A hash: the id of the token whose key has a digest. */
    ids: `${ownPrefix}ids:${tag}`,
    /** Of tokens. A sorted set of `user\0id`. */
    users: `${ownPrefix}users:${tag}`,
  };
}

/** What is kept of a partner's items, by the name of the source that reads them; all in one hash slot. */
export const itemKeys = (provider: string) => ({
  /** A hash: each item by its id, in JSON. */
  items: `${ownPrefix}items:{${provider}}`,
  /** A sorted set: the ids, by the revision at which each was put. */
  order: `${ownPrefix}items:{${provider}}:order`,
  /** A hash: the epoch, the number of the last revision, and how reading does, in JSON. */
  head: `${ownPrefix}items:{${provider}}:head`,
});
