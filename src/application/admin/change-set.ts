import { type ChangeOptions, isSameRevision, type Revision } from "../../domain/admin/change.ts";
import { isPersonal } from "../../domain/admin/editable-set.ts";
import type { SetChangeResult } from "../../domain/admin/feature-store.ts";
import { ChangeRejected, notGrantable, notServed, RevisionMismatch, tooManyMembers } from "../../domain/errors.ts";
import { type FeatureKey, inOrder, isServedKey, isWritableKey } from "../../domain/evaluation/feature.ts";
import type { FeatureSet } from "../../domain/evaluation/feature-sets.ts";
import type { Receipt } from "../../domain/evaluation/invalidation-feed.ts";
import { callStore } from "./call-store.ts";
import type { EditableSources, FoundSet, SetName } from "./editable-sources.ts";
import type { OnChange } from "./on-change.ts";

/** Maximum number of features that one change may name. */
export const maxAtOnce = 10_000;

/** The edit of a set. */
type SetEdit = {
  readonly add: readonly FeatureKey[];
  readonly remove: readonly FeatureKey[];
};

/** A change of a set. */
export type SetChangeRequest = SetName & SetEdit;
/** A change of a set that is named by its source. */
export type SourceChange = Extract<SetName, { readonly source: string }> & SetEdit;

/** The content of a set, sorted by code point. */
export type SetContent = FeatureSet & {
  readonly key: string;
  /** The revision when the set was read, or just before; `undefined` if the set has no record. */
  readonly revision: Revision | undefined;
};

/** The sets that previews read, by connection and key: a set is read once for all of them. */
export type ReadContents = Map<string, Promise<SetContent>>;

/** Reads and changes the sets of the configured sources. */
export class ChangeSet {
  readonly #sources: EditableSources;
  readonly #newId: () => string;
  readonly #changed: OnChange;
  readonly #confirm: (connection: string) => Promise<Receipt>;

  /**
   * `changed` is called with the key of each changed set before the change is acknowledged. `confirm` is called with
   * the name of a connection, and resolves as `ConfirmingFeed.confirm` does.
   */
  constructor(
    sources: EditableSources,
    newId: () => string,
    changed: OnChange = () => {},
    confirm: (connection: string) => Promise<Receipt> = async () => ({ confirmed: 0, missing: undefined }),
  ) {
    this.#confirm = confirm;
    this.#sources = sources;
    this.#newId = newId;
    this.#changed = changed;
  }

  /**
   * Adds features to a set and removes others, all or nothing. Returns the real changes. Rejects as `EditableSources`
   * and `FeatureStore` do, and with `ChangeRejected` for a key that is not served, a new grant of a key that is not
   * writable, a feature both added and removed, and a change or set that would be too large.
   */
  async apply(change: SetChangeRequest, options: ChangeOptions): Promise<SetChangeResult & { readonly key: string }> {
    const found = this.#sources.findSet(change);
    const { add, remove } = await this.#checked(found, change);
    const { key, set } = found;
    // A change that switches features off succeeds while the store is full.
    const urgent = add.length === 0 || found.vetoes;
    const wanted = {
      ...options,
      id: this.#newId(),
      key,
      personal: isPersonal(set),
      add,
      remove,
      urgent,
      limit: set.limit,
    };
    try {
      return { key, ...(await callStore(set.connection, () => set.changes.apply(wanted))) };
    } finally {
      // If the store did not respond, the change may have been made.
      await this.#changed(key);
    }
  }

  /** Resolves once every instance has received the changes made so far of a set, or marks its results as stale. */
  async confirm(name: SetName): Promise<Receipt> {
    return this.#confirm(this.#sources.findSet(name).set.connection);
  }

  /** The result that `apply` would have now. Changes and records nothing; rejects as `apply` does. */
  async preview(
    change: SetChangeRequest,
    ifRevision: ChangeOptions["ifRevision"],
    contents: ReadContents = new Map(),
  ): Promise<Omit<SetChangeResult, "revision"> & { readonly key: string }> {
    const found = this.#sources.findSet(change);
    const { add, remove } = await this.#checked(found, change);
    const name = `${found.set.connection} ${found.key}`;
    const content = contents.get(name) ?? this.#read(found);
    contents.set(name, content);
    const { features, invalidMembers, revision } = await content;
    if (ifRevision !== undefined && !isSameRevision(ifRevision ?? undefined, revision)) throw new RevisionMismatch();
    const present = new Set(features);
    const added = add.filter((feature) => !present.has(feature));
    const removed = remove.filter((feature) => present.has(feature));
    const size = invalidMembers + present.size + added.length - removed.length;
    if (added.length > 0 && size > found.set.limit) throw tooManyMembers(found.key, found.set.limit);
    return { key: found.key, added, removed };
  }

  /** The content of a set. Rejects as `EditableSources` and `FeatureSets` do. */
  async read(name: SetName): Promise<SetContent> {
    const content = await this.#read(this.#sources.findSet(name));
    return { ...content, features: inOrder(content.features) };
  }

  /** The revision of a set. Rejects as `read` does. */
  async revision(name: SetName): Promise<Revision | undefined> {
    const { key, set } = this.#sources.findSet(name);
    return (await callStore(set.connection, () => set.changes.revisions([key])))[0];
  }

  /** The content in no particular order. */
  async #read({ key, set }: FoundSet): Promise<SetContent> {
    return callStore(set.connection, async () => {
      // Read first: a change between the two reads makes the revision too old, so a change that relies on it is
      // rejected.
      const [revision] = await set.changes.revisions([key]);
      const { value } = await set.sets.read(key, set.limit);
      return { key, features: value.features, invalidMembers: value.invalidMembers, revision };
    });
  }

  /** Removes duplicates. Reads the set only if the change grants a key that is not writable. */
  async #checked(
    { key, set, grants }: FoundSet,
    change: SetChangeRequest,
  ): Promise<Pick<SetChangeRequest, "add" | "remove">> {
    const add = [...new Set(change.add)];
    const remove = new Set(change.remove);
    if (add.length + remove.size > maxAtOnce) {
      throw new ChangeRejected(`More than ${maxAtOnce} features in one change. Split it.`, "change-too-large");
    }
    const unserved = [...add, ...remove].find((feature) => !isServedKey(feature));
    if (unserved !== undefined) throw notServed(unserved);
    const both = add.find((feature) => remove.has(feature));
    if (both !== undefined)
      throw new ChangeRejected(`Feature ${both} is in both add and remove. Remove it from one of them.`);
    const notWritable = grants ? add.filter((feature) => !isWritableKey(feature)) : [];
    if (notWritable.length > 0) {
      // Keys that other tools granted already are not new grants.
      const { value } = await callStore(set.connection, async () => set.sets.read(key, set.limit));
      const granted = new Set(value.features);
      const missing = notWritable.find((feature) => !granted.has(feature));
      if (missing !== undefined) throw notGrantable(missing);
    }
    return { add, remove: [...remove] };
  }
}
