/**
 * Known stores: maps each store to its history in the event log. The identity of a store is written into the store.
 * Events of version 0.1 carry the name of a connection instead; they belong to the store that claims them.
 */
export type KnownStores = {
  /** Records that a connection leads to a store. Idempotent. */
  enter(identity: string, connection: string): Promise<void>;
  /** The names under which events of a store are recorded: its identity, and a connection whose events it claimed. */
  namesOf(identity: string): Promise<readonly string[]>;
  /** Whether events carry the name of a connection, and no store has claimed them. */
  hasUnclaimed(connection: string): Promise<boolean>;
  /** Claims the events that carry the name of a connection, unless another store has. */
  claim(identity: string, connection: string): Promise<void>;
  /** Whether a connection led to another store before, whose features, rules or tokens were changed. */
  hasChangesOfOthers(identity: string, connection: string): Promise<boolean>;
};
