import { hash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { v7 as uuidv7 } from "uuid";
import { authorOf } from "../../../domain/admin/batch.ts";
import { type ChangeMeta, type RecordMeta, recordMetaOf, type TokenRecord } from "../../../domain/admin/change.ts";
import type { TokenStore } from "../../../domain/admin/token-store.ts";
import type { UserId } from "../../../domain/evaluation/evaluation-context.ts";
import type { TokenKeyDerivation } from "../../token-key.ts";
import { keyPages } from "../key-pages.ts";
import { demandRevision, type Head, headAfter, type SqliteJournal } from "../sqlite-journal.ts";

/** A token's row. No head if the token predates records. */
type Row = { readonly key: string; readonly userId: UserId; readonly head: Head | undefined };

/** Token store in a SQLite database. */
export function sqliteTokenStore(
  database: DatabaseSync,
  journal: SqliteJournal,
  keyOf: TokenKeyDerivation,
): TokenStore {
  const selectByKey = database.prepare("SELECT key, user_id, id, issued_at FROM tokens WHERE key = ?");
  const selectById = database.prepare("SELECT key, user_id, id, issued_at FROM tokens WHERE id = ?");
  const selectByUser = database.prepare(
    "SELECT id, issued_at, issued_by FROM tokens WHERE user_id = ? AND id IS NOT NULL ORDER BY issued_at, id",
  );
  const selectAll = database.prepare("SELECT key, user_id FROM tokens WHERE key >= ? AND key < ? ORDER BY key LIMIT ?");
  const upsert = database.prepare(
    "INSERT OR REPLACE INTO tokens (key, user_id, id, issued_at, issued_by) VALUES (?, ?, ?, ?, ?)",
  );
  const remove = database.prepare("DELETE FROM tokens WHERE key = ?");

  function assignTo(key: string, row: Row | undefined, change: ChangeMeta & { readonly userId: UserId }): void {
    if (row) record(row.head, "revoked", row.userId, { ...recordMetaOf(change), id: uuidv7() });
    const { at } = record(undefined, "issued", change.userId, recordMetaOf(change));
    upsert.run(key, change.userId, change.id, at, change.by);
  }

  /** A token that was not issued here has the id of its first record, as an issued token has. */
  function record(head: Head | undefined, origin: TokenRecord["origin"], userId: UserId, meta: RecordMeta): Head {
    const after = headAfter(head, meta.id);
    journal.append({ of: "token", ...meta, ...after, tokenId: after.revision.epoch, userId, origin });
    return after;
  }

  return {
    async assign(change) {
      const key = keyOf(change.token);
      const { tokenId, before } = journal.change(nameOf(key), change.idempotencyKey, () => {
        const row = rowIn(selectByKey.get(key));
        demandRevision(change.ifRevision, row?.head?.revision);
        assignTo(key, row, change);
        return { tokenId: change.id, before: row?.userId };
      });
      return { tokenId, before };
    },
    async load(batch) {
      return journal.load(batch, (load) => {
        const key = "token" in load ? keyOf(load.token) : keyOf.prefix + load.digest;
        const row = rowIn(selectByKey.get(key));
        if (row?.userId === load.userId) return false;
        assignTo(key, row, { ...authorOf(batch), id: uuidv7(), userId: load.userId });
        return true;
      });
    },
    async revoke(change) {
      const name = "token" in change ? keyOf(change.token) : change.tokenId;
      const revoke = () => {
        const row = rowIn("token" in change ? selectByKey.get(name) : selectById.get(name));
        demandRevision(change.ifRevision, row?.head?.revision);
        if (!row || ("userId" in change && row.userId !== change.userId)) return { before: undefined };
        remove.run(row.key);
        record(row.head, "revoked", row.userId, recordMetaOf(change));
        return { before: row.userId };
      };
      return journal.change(nameOf(name), change.idempotencyKey, revoke, true).before;
    },
    async *all() {
      const { prefix } = keyOf;
      for (const page of keyPages(selectAll, prefix)) {
        yield page.map((row) => ({ digest: String(row["key"]).slice(prefix.length), userId: String(row["user_id"]) }));
      }
    },
    keyById: async (tokenId) => rowIn(selectById.get(tokenId))?.key,
    async list(userId) {
      return selectByUser.all(userId).map((row) => ({
        id: String(row["id"]),
        userId,
        issuedAt: Number(row["issued_at"]),
        by: String(row["issued_by"]),
      }));
    },
  };
}

/** A digest, because idempotency keys are stored for a day, longer than a revoked token may be. */
const nameOf = (keyOrId: string): string => `token:${hash("sha256", keyOrId, "base64url")}`;

function rowIn(row: Record<string, unknown> | undefined): Row | undefined {
  if (!row) return undefined;
  const head = row["id"]
    ? { revision: { epoch: String(row["id"]), number: 1 }, at: Number(row["issued_at"]) }
    : undefined;
  return { key: String(row["key"]), userId: String(row["user_id"]), head };
}
