import type { DatabaseSync, StatementSync } from "node:sqlite";
import { v7 as uuidv7 } from "uuid";
import { authorOf, type Batch, type BatchResult } from "../../../domain/admin/batch.ts";
import { authorOfRecord, externalActor, type Revision, type SetRecord } from "../../../domain/admin/change.ts";
import {
  type FeatureStore,
  maxRecordedMembers,
  type SetAddress,
  type SetChange,
  type SetChangeResult,
  type SetLoad,
} from "../../../domain/admin/feature-store.ts";
import type { HoldingSets, SetContents, SetIndex } from "../../../domain/admin/set-index.ts";
import type { SetRecorder } from "../../../domain/admin/set-recorder.ts";
import { tooManyMembers } from "../../../domain/errors.ts";
import { type FeatureKey, isServedKey } from "../../../domain/evaluation/feature.ts";
import { endOf, keyPages } from "../key-pages.ts";
import { demandRevision, epochAfter, type Head, headAfter, headIn, type SqliteJournal } from "../sqlite-journal.ts";

const recordsBetweenMembers = 256;
/** Limit for counting the users of all requested features. Takes some milliseconds, which block all requests. */
const maxCounted = 100_000;

type Author = ReturnType<typeof authorOfRecord>;
type SetDelta = Pick<SetRecord, "origin" | "added" | "removed">;

/**
 * Changes the sets of a SQLite database. Other writers are not supported, so the members are as recorded, except for
 * sets that were filled before records existed.
 */
export class SqliteFeatureStore implements FeatureStore, SetRecorder, SetIndex {
  readonly #journal: SqliteJournal;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  readonly #size: StatementSync;
  readonly #members: StatementSync;
  readonly #head: StatementSync;
  readonly #setHead: StatementSync;
  readonly #keys: StatementSync;
  readonly #holders: StatementSync;
  readonly #contents: StatementSync;
  readonly #holding: StatementSync;

  constructor(database: DatabaseSync, journal: SqliteJournal) {
    this.#journal = journal;
    this.#insert = database.prepare("INSERT OR IGNORE INTO members (key, feature) VALUES (?, ?)");
    this.#delete = database.prepare("DELETE FROM members WHERE key = ? AND feature = ?");
    this.#size = database.prepare("SELECT count(*) AS size FROM members WHERE key = ?");
    this.#members = database.prepare("SELECT feature FROM members WHERE key = ?");
    this.#head = database.prepare("SELECT epoch, number, at FROM heads WHERE key = ?");
    this.#setHead = database.prepare("INSERT OR REPLACE INTO heads (key, epoch, number, at) VALUES (?, ?, ?, ?)");
    this.#keys = database.prepare("SELECT DISTINCT key FROM members WHERE key >= ? AND key < ? ORDER BY key LIMIT ?");
    this.#holders = database.prepare(
      "SELECT count(*) AS holders FROM (SELECT 1 FROM members WHERE feature = ? AND key >= ? AND key < ? LIMIT ?)",
    );
    this.#holding = database.prepare(
      "SELECT key FROM members WHERE feature = ? AND key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?",
    );
    this.#contents = database.prepare("SELECT key, feature FROM members WHERE key >= ? AND key < ? LIMIT ?");
    this.#contents.setReturnArrays(true);
  }

  async apply(change: SetChange): Promise<SetChangeResult> {
    return this.#journal.change(`set:${change.key}`, change.idempotencyKey, () => this.#apply(change), change.urgent);
  }

  async load(batch: Batch<SetLoad>): Promise<BatchResult> {
    return this.#journal.load(batch, (set) => this.#load(set, batch));
  }

  async reconcile({ key }: SetAddress): Promise<boolean> {
    // Most sets are recorded. A transaction would wait for other writers and block this thread.
    if (this.#headOf(key)) return false;
    return this.#journal.transaction(() => {
      if (this.#headOf(key)) return false;
      this.#baseline(key);
      return true;
    });
  }

  async rebase({ key }: SetAddress): Promise<void> {
    this.#journal.transaction(() => this.#baseline(key));
  }

  async revisions(keys: readonly string[]): Promise<readonly (Revision | undefined)[]> {
    return keys.map((key) => this.#headOf(key)?.revision);
  }

  async keys(prefix: string, max: number): Promise<{ readonly keys: readonly string[]; readonly complete: boolean }> {
    const found = this.#keys.all(prefix, endOf(prefix), max + 1).map((row) => String(row["key"]));
    return { keys: found.slice(0, max), complete: found.length <= max };
  }

  async *allKeys(prefix: string): AsyncGenerator<readonly string[]> {
    for (const page of keyPages(this.#keys, prefix)) yield page.map((row) => String(row["key"]));
  }

  async holders(prefix: string, features: readonly FeatureKey[]): Promise<readonly (number | undefined)[]> {
    const max = Math.floor(maxCounted / features.length);
    return features.map((feature) => {
      const holders = Number(this.#holders.get(feature, prefix, endOf(prefix), max + 1)?.["holders"]);
      return holders <= max ? holders : undefined;
    });
  }

  async holding(prefix: string, feature: FeatureKey, limit: number, after = ""): Promise<HoldingSets> {
    const rows = this.#holding.all(feature, prefix, endOf(prefix), after, limit + 1);
    const keys = rows.slice(0, limit).map((row) => String(row["key"]));
    const last = keys.at(-1);
    return { keys, ...(rows.length > limit && last !== undefined && { next: last }) };
  }

  async contents(prefix: string): Promise<SetContents | undefined> {
    const rows = this.#contents.all(prefix, endOf(prefix), maxCounted + 1) as unknown as readonly [string, string][];
    if (rows.length > maxCounted) return undefined;
    const sets = new Map<string, FeatureKey[]>();
    for (const [key, feature] of rows) {
      if (!isServedKey(feature)) continue;
      const members = sets.get(key);
      if (members) members.push(feature);
      else sets.set(key, [feature]);
    }
    return { sets };
  }

  #apply(change: SetChange): SetChangeResult {
    const { key } = change;
    const head = this.#headOf(key);
    demandRevision(change.ifRevision, head?.revision);
    const before = head ?? this.#baseline(key);
    const removed = change.remove.filter((feature) => this.#delete.run(key, feature).changes === 1);
    const added = change.add.filter((feature) => this.#insert.run(key, feature).changes === 1);
    if (added.length > 0 && change.limit !== undefined && this.#sizeOf(key) > change.limit) {
      throw tooManyMembers(key, change.limit);
    }
    const after = headAfter(before, change.id);
    this.#record(key, after, authorOfRecord(change), { origin: "change", added, removed });
    return { added, removed, revision: after.revision };
  }

  /** Returns whether it changed anything. */
  #load({ key, features, limit }: SetLoad, batch: Batch<SetLoad>): boolean {
    const head = this.#headOf(key);
    const present = new Set(this.#membersOf(key));
    const added = features.filter((feature) => !present.has(feature));
    if (added.length === 0) return false;
    if (present.size + added.length > limit) throw tooManyMembers(key, limit);
    // Larger sets are recorded in two steps, because one record cannot contain their members.
    const isNew = !head && present.size === 0 && added.length <= maxRecordedMembers;
    const before = isNew ? undefined : (head ?? this.#baseline(key));
    for (const feature of added) this.#insert.run(key, feature);
    const id = uuidv7();
    this.#record(key, headAfter(before, id), authorOfRecord({ ...authorOf(batch), id }), {
      origin: "change",
      added,
      removed: [],
    });
    return true;
  }

  #baseline(key: string): Head {
    const id = uuidv7();
    const head = epochAfter(this.#headOf(key), id);
    this.#record(key, head, { id, by: externalActor }, { origin: "baseline", added: [], removed: [] });
    return head;
  }

  #record(key: string, { revision, at }: Head, author: Author, delta: SetDelta): void {
    const size = this.#sizeOf(key);
    const isWhole = revision.number === 1 || revision.number % recordsBetweenMembers === 0;
    const members = isWhole && size <= maxRecordedMembers ? { members: this.#membersOf(key) } : {};
    this.#journal.append({ of: "set", ...author, at, revision, key, ...delta, ...members, size });
    this.#setHead.run(key, revision.epoch, revision.number, at);
  }

  #headOf(key: string): Head | undefined {
    const row = this.#head.get(key);
    return row && headIn(row);
  }

  #sizeOf(key: string): number {
    return Number(this.#size.get(key)?.["size"]);
  }

  #membersOf(key: string): FeatureKey[] {
    return this.#members.all(key).map((row) => String(row["feature"]));
  }
}
