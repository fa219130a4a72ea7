import { isSameRevision, type Revision } from "../../domain/admin/change.ts";
import { isPersonal } from "../../domain/admin/editable-set.ts";
import type { SetChangeResult } from "../../domain/admin/feature-store.ts";
import { ChangeRejected, notGrantable, notServed, RevisionMismatch, tooManyMembers } from "../../domain/errors.ts";
import { type FeatureKey, inOrder, isServedKey, isWritableKey } from "../../domain/evaluation/feature.ts";
import type { ChangeAuthor } from "./author.ts";
import { callStore } from "./call-store.ts";
import type { Changed } from "./changed.ts";
import type { FoundSet, SetName, SourceSets } from "./source-sets.ts";

/** The most features that one change may name. */
export const mostAtOnce = 10_000;

/** What is to be done to a set. */
type SetEdit = {
  readonly add: readonly FeatureKey[];
  readonly remove: readonly FeatureKey[];
  /** Whether it switches off although it adds something, and so must work when the store is full. Where nothing is added it does anyway. */
  readonly urgent?: boolean;
};

/** What somebody wants done to a set. */
export type SetChangeRequest = SetName & SetEdit;
/** The same, of a set that is named by its source. */
export type SourceChange = Extract<SetName, { readonly source: string }> & SetEdit;

/** What is in a set. */
export type SetContent = {
  readonly key: string;
  /** Sorted by code point. */
  readonly features: readonly FeatureKey[];
  /** How many members are no feature keys. */
  readonly invalidMembers: number;
  /** Of the set when it was read, or right before; `undefined` where nothing was recorded of it yet. */
  readonly revision: Revision | undefined;
};

/** Reads and changes the sets behind the configured sources. */
export class ChangeSet {
  readonly #sets: SourceSets;
  readonly #newId: () => string;
  readonly #changed: Changed;
  readonly #everywhere: (connection: string) => Promise<void>;

  /**
   * `changed` is called with the key of each changed set before its change is acknowledged; `everywhere` with the name of a
   * connection, and resolves as that of its `ChangeFeed`.
   */
  constructor(
    sets: SourceSets,
    newId: () => string,
    changed: Changed = () => {},
    everywhere: (connection: string) => Promise<void> = async () => {},
  ) {
    this.#everywhere = everywhere;
    this.#sets = sets;
    this.#newId = newId;
    this.#changed = changed;
  }

  /**
   * Adds features to a set and takes others out, whole or not at all, and answers what was really changed. Rejects as
   * `SourceSets` and `FeatureStore` do, and with `ChangeRefused` for a key that is not served, a new grant of a key that is not
   * writable, a feature that is to be both in and out, and a set or a change that would be too large.
   */
  async apply(change: SetChangeRequest, author: ChangeAuthor): Promise<SetChangeResult & { readonly key: string }> {
    const found = this.#sets.find(change);
    const { add, remove } = await this.#checked(found, change);
    const { key, stored } = found;
    const urgent = change.urgent ?? add.length === 0;
    const wanted = {
      ...author,
      id: this.#newId(),
      key,
      personal: isPersonal(stored),
      add,
      remove,
      urgent,
      limit: stored.limit,
    };
    try {
      return { key, ...(await callStore(stored.connection, () => stored.changes.apply(wanted))) };
    } finally {
      // Whether it was made is not known where the store did not answer.
      await this.#changed(key);
    }
  }

  /** Resolves once every instance acts on the changes of a set that were made so far, or marks its answers as stale. */
  async everywhere(name: SetName): Promise<void> {
    await this.#everywhere(this.#sets.find(name).stored.connection);
  }

  /** What `execute` would change now. Changes and records nothing; rejects as that does. */
  async preview(
    change: SetChangeRequest,
    ifRevision: ChangeAuthor["ifRevision"],
  ): Promise<Omit<SetChangeResult, "revision"> & { readonly key: string }> {
    const found = this.#sets.find(change);
    const { add, remove } = await this.#checked(found, change);
    const { features, invalidMembers: skipped, revision } = await this.#read(found);
    if (ifRevision !== undefined && !isSameRevision(ifRevision ?? undefined, revision)) throw new RevisionMismatch();
    const present = new Set(features);
    const added = add.filter((feature) => !present.has(feature));
    const removed = remove.filter((feature) => present.has(feature));
    const size = skipped + present.size + added.length - removed.length;
    if (added.length > 0 && size > found.stored.limit) throw tooManyMembers(found.key, found.stored.limit);
    return { key: found.key, added, removed };
  }

  /** What is in a set. Rejects as `SourceSets` and `FeatureSets` do. */
  async read(name: SetName): Promise<SetContent> {
    return this.#read(this.#sets.find(name));
  }

  /** The revision of the set that a name stands for. Rejects as `read` does. */
  async revision(name: SetName): Promise<Revision | undefined> {
    const { key, stored } = this.#sets.find(name);
    return (await callStore(stored.connection, () => stored.changes.revisions([key])))[0];
  }

  async #read({ key, stored }: FoundSet): Promise<SetContent> {
    return callStore(stored.connection, async () => {
      // Asked for first: a change between the two makes the revision too old, and whoever relies on it is refused.
      const [revision] = await stored.changes.revisions([key]);
      const { value } = await stored.sets.read(key, stored.limit);
      return { key, features: inOrder(value.features), invalidMembers: value.skipped, revision };
    });
  }

  /** Each feature once. Reads the set only if it grants a key that is not writable. */
  async #checked(
    { key, stored, grants }: FoundSet,
    change: SetChangeRequest,
  ): Promise<Pick<SetChangeRequest, "add" | "remove">> {
    const add = [...new Set(change.add)];
    const remove = new Set(change.remove);
    if (add.length + remove.size > mostAtOnce) {
      throw new ChangeRejected(`more than ${mostAtOnce} features in one change; split it.`, "too-many");
    }
    const unserved = [...add, ...remove].find((feature) => !isServedKey(feature));
    if (unserved !== undefined) throw notServed(unserved);
    const both = add.find((feature) => remove.has(feature));
    if (both !== undefined) throw new ChangeRejected(`${both} is to be added and to be removed; say which.`);
    const odd = grants ? add.filter((feature) => !isWritableKey(feature)) : [];
    if (odd.length > 0) {
      // Keys that other tools have granted are no new grants.
      const { value } = await callStore(stored.connection, async () => stored.sets.read(key, stored.limit));
      const granted = new Set(value.features);
      const missing = odd.find((feature) => !granted.has(feature));
      if (missing !== undefined) throw notGrantable(missing);
    }
    return { add, remove: [...remove] };
  }
}
