import type { DatabaseSync } from "node:sqlite";
import { v7 as uuidv7 } from "uuid";
import { authorOf, type Batch } from "../../../domain/admin/batch.ts";
import { externalActor, type RecordMeta, recordMetaOf, type SetRecord } from "../../../domain/admin/change.ts";
import {
  type FeatureStore,
  maxRecordedMembers,
  type SetChange,
  type SetChangeResult,
  type SetLoad,
} from "../../../domain/admin/feature-store.ts";
import type { SetIndex } from "../../../domain/admin/set-index.ts";
import { tooManyMembers } from "../../../domain/errors.ts";
import { type FeatureKey, isServedKey } from "../../../domain/evaluation/feature.ts";
import type { SetRecorder } from "../../../domain/events/set-recorder.ts";
import { endOf, keyPages } from "../key-pages.ts";
import { demandRevision, epochAfter, type Head, headAfter, headIn, type SqliteJournal } from "../sqlite-journal.ts";

const recordsBetweenMembers = 256;
/** Limit for counting the users of all requested features. Takes some milliseconds, which block all requests. */
const maxCounted = 100_000;

type SetDelta = Pick<SetRecord, "origin" | "added" | "removed">;

/**
 * Changes the sets of a SQLite database. Other writers are not supported, so the members are as recorded, except for
 * sets that were filled before records existed.
 */
export function sqliteFeatureStore(
  database: DatabaseSync,
  journal: SqliteJournal,
): FeatureStore & SetRecorder & SetIndex {
  const insertMember = database.prepare("INSERT OR IGNORE INTO members (key, feature) VALUES (?, ?)");
  const deleteMember = database.prepare("DELETE FROM members WHERE key = ? AND feature = ?");
  const countMembers = database.prepare("SELECT count(*) AS size FROM members WHERE key = ?");
  const selectMembers = database.prepare("SELECT feature FROM members WHERE key = ?");
  const selectHead = database.prepare("SELECT epoch, number, at FROM heads WHERE key = ?");
  const setHead = database.prepare("INSERT OR REPLACE INTO heads (key, epoch, number, at) VALUES (?, ?, ?, ?)");
  const selectKeys = database.prepare(
    "SELECT DISTINCT key FROM members WHERE key >= ? AND key < ? ORDER BY key LIMIT ?",
  );
  const countHolders = database.prepare(
    "SELECT count(*) AS holders FROM (SELECT 1 FROM members WHERE feature = ? AND key >= ? AND key < ? LIMIT ?)",
  );
  const selectContents = database.prepare("SELECT key, feature FROM members WHERE key >= ? AND key < ? LIMIT ?");
  const selectHolding = database.prepare(
    "SELECT key FROM members WHERE feature = ? AND key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?",
  );
  selectContents.setReturnArrays(true);

  function changeSet(change: SetChange): SetChangeResult {
    const { key } = change;
    const head = headOf(key);
    demandRevision(change.ifRevision, head?.revision);
    const before = head ?? baseline(key);
    const removed = change.remove.filter((feature) => deleteMember.run(key, feature).changes === 1);
    const added = change.add.filter((feature) => insertMember.run(key, feature).changes === 1);
    if (added.length > 0 && change.limit !== undefined && sizeOf(key) > change.limit) {
      throw tooManyMembers(key, change.limit);
    }
    const after = headAfter(before, change.id);
    record(key, after, recordMetaOf(change), { origin: "change", added, removed });
    return { added, removed, revision: after.revision };
  }

  /** Returns whether it changed anything. */
  function loadSet({ key, features, limit }: SetLoad, batch: Batch<SetLoad>): boolean {
    const head = headOf(key);
    const present = new Set(membersOf(key));
    const added = features.filter((feature) => !present.has(feature));
    if (added.length === 0) return false;
    if (present.size + added.length > limit) throw tooManyMembers(key, limit);
    // Larger sets are recorded in two steps, because one record cannot contain their members.
    const isNew = !head && present.size === 0 && added.length <= maxRecordedMembers;
    const before = isNew ? undefined : (head ?? baseline(key));
    for (const feature of added) insertMember.run(key, feature);
    const id = uuidv7();
    record(key, headAfter(before, id), recordMetaOf({ ...authorOf(batch), id }), {
      origin: "change",
      added,
      removed: [],
    });
    return true;
  }

  function baseline(key: string): Head {
    const id = uuidv7();
    const head = epochAfter(headOf(key), id);
    record(key, head, { id, by: externalActor }, { origin: "baseline", added: [], removed: [] });
    return head;
  }

  function record(key: string, { revision, at }: Head, meta: RecordMeta, delta: SetDelta): void {
    const size = sizeOf(key);
    const isWhole = revision.number === 1 || revision.number % recordsBetweenMembers === 0;
    const members = isWhole && size <= maxRecordedMembers ? { members: membersOf(key) } : {};
    journal.append({ of: "set", ...meta, at, revision, key, ...delta, ...members, size });
    setHead.run(key, revision.epoch, revision.number, at);
  }

  function headOf(key: string): Head | undefined {
    const row = selectHead.get(key);
    return row && headIn(row);
  }

  function sizeOf(key: string): number {
    return Number(countMembers.get(key)?.["size"]);
  }

  function membersOf(key: string): FeatureKey[] {
    return selectMembers.all(key).map((row) => String(row["feature"]));
  }

  return {
    apply: async (change) =>
      journal.change(`set:${change.key}`, change.idempotencyKey, () => changeSet(change), change.urgent),
    load: async (batch) => journal.load(batch, (set) => loadSet(set, batch)),
    async reconcile({ key }) {
      // Most sets are recorded. A transaction would wait for other writers and block this thread.
      if (headOf(key)) return false;
      return journal.transaction(() => {
        if (headOf(key)) return false;
        baseline(key);
        return true;
      });
    },
    async rebase({ key }) {
      journal.transaction(() => baseline(key));
    },
    revisions: async (keys) => keys.map((key) => headOf(key)?.revision),
    async keys(prefix, max) {
      const found = selectKeys.all(prefix, endOf(prefix), max + 1).map((row) => String(row["key"]));
      return { keys: found.slice(0, max), complete: found.length <= max };
    },
    async *allKeys(prefix) {
      for (const page of keyPages(selectKeys, prefix)) yield page.map((row) => String(row["key"]));
    },
    async holders(prefix, features) {
      const max = Math.floor(maxCounted / features.length);
      return features.map((feature) => {
        const holders = Number(countHolders.get(feature, prefix, endOf(prefix), max + 1)?.["holders"]);
        return holders <= max ? holders : undefined;
      });
    },
    async holding(prefix, feature, limit, after = "") {
      const rows = selectHolding.all(feature, prefix, endOf(prefix), after, limit + 1);
      const keys = rows.slice(0, limit).map((row) => String(row["key"]));
      const last = keys.at(-1);
      return { keys, ...(rows.length > limit && last !== undefined && { next: last }) };
    },
    async contents(prefix) {
      const rows = selectContents.all(prefix, endOf(prefix), maxCounted + 1) as unknown as readonly [string, string][];
      if (rows.length > maxCounted) return undefined;
      const sets = new Map<string, FeatureKey[]>();
      for (const [key, feature] of rows) {
        if (!isServedKey(feature)) continue;
        const members = sets.get(key);
        if (members) members.push(feature);
        else sets.set(key, [feature]);
      }
      return { sets };
    },
  };
}
