import { hash } from "node:crypto";
import type { Redis } from "ioredis";
import { v7 as newId } from "uuid";
import { authorOf } from "../../../domain/admin/batch.ts";
import { type ChangeMeta, recordMetaOf } from "../../../domain/admin/change.ts";
import type { AssignedToken, TokenInfo, TokenStore } from "../../../domain/admin/token-store.ts";
import { RevisionMismatch } from "../../../domain/errors.ts";
import type { UserId } from "../../../domain/evaluation/evaluation-context.ts";
import type { TokenKeyDerivation } from "../../token-key.ts";
import { expectedRevision } from "../expected-revision.ts";
import { digestOf, loadTokens } from "../import/load-tokens.ts";
import { redisFault } from "../redis-fault.ts";
import { bookkeeping, tokensKey } from "../redis-keys.ts";
import { scan } from "../scan.ts";
import { Script } from "../script.ts";

const script = new Script("change-token");
const urgentScript = new Script("change-token", "allow-oom");

const { outbox, once: onceKey, ids, users } = bookkeeping(tokensKey);

const bookkeepingKeys = [tokensKey, ids, users, outbox];

/** A key that contains a token is stored as its digest. Before 0.2, the key itself was stored. */
type StoredInfo = TokenInfo & ({ readonly key: string } | { readonly digest: string });

/**
 * Token store in Redis: one string per token with the user id, the metadata of issued tokens, and one outbox for all. A
 * token's key is not in the hash slot of its bookkeeping keys, and must not be: with the token as the hash tag, those
 * keys would reveal it. So this store cannot be spread over a Redis Cluster.
 */
export function redisTokenStore(redis: Redis, keyOf: TokenKeyDerivation): TokenStore & { probe(): Promise<void> } {
  async function keyById(tokenId: string): Promise<string | undefined> {
    const text = await redis.hget(tokensKey, tokenId).catch((error) => redisFault(error, tokensKey));
    if (text === null) return undefined;
    const info = JSON.parse(text) as StoredInfo;
    return (await keysOf([info]))[0];
  }

  /** The keys of tokens. A key stored as its digest is found by a scan of all token keys. `undefined` if it is gone. */
  async function keysOf(infos: readonly StoredInfo[]): Promise<readonly (string | undefined)[]> {
    const wanted = new Set(infos.flatMap((info) => ("digest" in info ? [info.digest] : [])));
    const found = new Map<string, string>();
    if (wanted.size > 0) {
      for await (const page of scan(redis, keyOf.prefix, "string")) {
        for (const key of page) {
          const digest = digestOf(key);
          if (wanted.has(digest)) found.set(digest, key);
        }
        if (found.size === wanted.size) break;
      }
    }
    return infos.map((info) => ("digest" in info ? found.get(info.digest) : info.key));
  }

  function assignKey(change: ChangeMeta, key: string, userId: UserId): Promise<AssignedToken> {
    return run(script, change, [key, "", "", userId, change.id, newId()]);
  }

  async function run(variant: Script, change: ChangeMeta, values: readonly string[]): Promise<AssignedToken> {
    const { idempotencyKey, ifRevision } = change;
    const { id: _, ...author } = recordMetaOf(change);
    const keys = [...bookkeepingKeys];
    // Key names are more widely visible than values, so they must not contain a token.
    const [key, id] = values;
    if (idempotencyKey !== undefined)
      keys.push(onceKey(`${hash("sha256", id || key || "", "base64url")}:${idempotencyKey}`));
    const reply = await variant
      .run(redis, keys, [...values, JSON.stringify(author), expectedRevision(ifRevision), keyOf.holdsToken ? "1" : ""])
      .catch((error) => redisFault(error));
    if (reply === null) throw new RevisionMismatch();
    const { tokenId, before } = JSON.parse(String(reply));
    return { tokenId, before };
  }

  return {
    keyById,
    assign: async (change) => assignKey(change, keyOf(change.token), change.userId),
    load(batch) {
      const items = batch.items.map((load) => ({
        key: "token" in load ? keyOf(load.token) : keyOf.prefix + load.digest,
        userId: load.userId,
      }));
      return loadTokens(redis, { ...batch, items }, keyOf.holdsToken, ({ key, userId }) =>
        assignKey({ ...authorOf(batch), id: newId() }, key, userId),
      );
    },
    /** Revocation works also if the store is full. */
    async revoke(change) {
      const named =
        "token" in change
          ? [keyOf(change.token), "", ""]
          : [(await keyById(change.tokenId)) ?? "", change.tokenId, change.userId];
      return (await run(urgentScript, change, [...named, "", "", change.id])).before;
    },
    async *all() {
      const { prefix } = keyOf;
      for await (const page of scan(redis, prefix, "string")) {
        if (page.length === 0) continue;
        const users = await redis.mget(...page).catch((error) => redisFault(error));
        yield page.flatMap((key, index) => {
          const userId = users[index];
          return typeof userId === "string" ? [{ digest: key.slice(prefix.length), userId }] : [];
        });
      }
    },
    async list(userId) {
      const found = await redis
        .zrangebylex(users, `[${userId}\0`, `(${userId}\u0001`)
        .catch((error) => redisFault(error, users));
      if (found.length === 0) return [];
      const tokenIds = found.map((each) => each.slice(userId.length + 1));
      const texts = await redis.hmget(tokensKey, ...tokenIds).catch((error) => redisFault(error, tokensKey));
      const infos = texts.flatMap((text, index): readonly StoredInfo[] =>
        text ? [{ ...JSON.parse(text), id: tokenIds[index] }] : [],
      );
      if (infos.length === 0) return [];
      const keys = await keysOf(infos);
      // No token has an empty key.
      const present = await redis.mget(keys.map((key) => key ?? "")).catch((error) => redisFault(error));
      return infos
        .filter((_, index) => keys[index] !== undefined && present[index] === userId)
        .map(({ id, issuedAt, by }) => ({ id, userId, issuedAt, by }))
        .sort((one, other) => one.issuedAt - other.issuedAt);
    },
    /** Dry run of a token change, without writes. Rejects as the change would. */
    async probe() {
      const values = [keyOf("probe"), "", "", "", "", "", "", ""];
      await urgentScript.run(redis, bookkeepingKeys, values).catch((error) => redisFault(error));
    },
  };
}
