import { hash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { v7 as uuidv7 } from "uuid";
import { authorOf, type Batch, type BatchResult } from "../../../domain/admin/batch.ts";
import { authorOfRecord, type ChangeMeta, type TokenRecord } from "../../../domain/admin/change.ts";
import type { TokenInfo, TokenLoad, TokenStore } from "../../../domain/admin/token-store.ts";
import type { UserId } from "../../../domain/evaluation/evaluation-context.ts";
import type { TokenKeyDerivation } from "../../token-key.ts";
import { keyPages } from "../key-pages.ts";
import { demandRevision, type Head, headAfter, type SqliteJournal } from "../sqlite-journal.ts";

/** A token's row. No head if the token predates records. */
type Row = { readonly key: string; readonly userId: UserId; readonly head: Head | undefined };

/** Token store in a SQLite database. */
export class SqliteTokenStore implements TokenStore {
  readonly #journal: SqliteJournal;
  readonly #byKey: StatementSync;
  readonly #byId: StatementSync;
  readonly #byUser: StatementSync;
  readonly #all: StatementSync;
  readonly #upsert: StatementSync;
  readonly #delete: StatementSync;
  readonly #keyOf: TokenKeyDerivation;

  constructor(database: DatabaseSync, journal: SqliteJournal, keyOf: TokenKeyDerivation) {
    this.#journal = journal;
    this.#byKey = database.prepare("SELECT key, user_id, id, issued_at FROM tokens WHERE key = ?");
    this.#byId = database.prepare("SELECT key, user_id, id, issued_at FROM tokens WHERE id = ?");
    this.#byUser = database.prepare(
      "SELECT id, issued_at, issued_by FROM tokens WHERE user_id = ? AND id IS NOT NULL ORDER BY issued_at, id",
    );
    this.#all = database.prepare("SELECT key, user_id FROM tokens WHERE key >= ? AND key < ? ORDER BY key LIMIT ?");
    this.#upsert = database.prepare(
      "INSERT OR REPLACE INTO tokens (key, user_id, id, issued_at, issued_by) VALUES (?, ?, ?, ?, ?)",
    );
    this.#delete = database.prepare("DELETE FROM tokens WHERE key = ?");
    this.#keyOf = keyOf;
  }

  async assign(
    change: ChangeMeta & { readonly token: string; readonly userId: UserId },
  ): Promise<{ readonly tokenId: string; readonly before: UserId | undefined }> {
    const key = this.#keyOf(change.token);
    const { tokenId, before } = this.#journal.change(nameOf(key), change.idempotencyKey, () => {
      const row = rowIn(this.#byKey.get(key));
      demandRevision(change.ifRevision, row?.head?.revision);
      this.#assign(key, row, change);
      return { tokenId: change.id, before: row?.userId };
    });
    return { tokenId, before };
  }

  async load(batch: Batch<TokenLoad>): Promise<BatchResult> {
    return this.#journal.load(batch, (load) => {
      const key = "token" in load ? this.#keyOf(load.token) : this.#keyOf.prefix + load.digest;
      const row = rowIn(this.#byKey.get(key));
      if (row?.userId === load.userId) return false;
      this.#assign(key, row, { ...authorOf(batch), id: uuidv7(), userId: load.userId });
      return true;
    });
  }

  async revoke(
    change: ChangeMeta & ({ readonly token: string } | { readonly tokenId: string; readonly userId: UserId }),
  ): Promise<UserId | undefined> {
    const name = "token" in change ? this.#keyOf(change.token) : change.tokenId;
    const revoke = () => {
      const row = rowIn("token" in change ? this.#byKey.get(name) : this.#byId.get(name));
      demandRevision(change.ifRevision, row?.head?.revision);
      if (!row || ("userId" in change && row.userId !== change.userId)) return { before: undefined };
      this.#delete.run(row.key);
      this.#record(row.head, "revoked", row.userId, authorOfRecord(change));
      return { before: row.userId };
    };
    return this.#journal.change(nameOf(name), change.idempotencyKey, revoke, true).before;
  }

  async *all(): AsyncGenerator<readonly { readonly digest: string; readonly userId: UserId }[]> {
    const { prefix } = this.#keyOf;
    for (const page of keyPages(this.#all, prefix)) {
      yield page.map((row) => ({ digest: String(row["key"]).slice(prefix.length), userId: String(row["user_id"]) }));
    }
  }

  async keyById(tokenId: string): Promise<string | undefined> {
    return rowIn(this.#byId.get(tokenId))?.key;
  }

  async list(userId: UserId): Promise<readonly TokenInfo[]> {
    return this.#byUser.all(userId).map((row) => ({
      id: String(row["id"]),
      userId,
      issuedAt: Number(row["issued_at"]),
      by: String(row["issued_by"]),
    }));
  }

  #assign(key: string, row: Row | undefined, change: ChangeMeta & { readonly userId: UserId }): void {
    if (row) this.#record(row.head, "revoked", row.userId, { ...authorOfRecord(change), id: uuidv7() });
    const { at } = this.#record(undefined, "issued", change.userId, authorOfRecord(change));
    this.#upsert.run(key, change.userId, change.id, at, change.by);
  }

  /** A token that was not issued here has the id of its first record, as an issued token has. */
  #record(
    head: Head | undefined,
    origin: TokenRecord["origin"],
    userId: UserId,
    author: ReturnType<typeof authorOfRecord>,
  ): Head {
    const after = headAfter(head, author.id);
    this.#journal.append({ of: "token", ...author, ...after, tokenId: after.revision.epoch, userId, origin });
    return after;
  }
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
