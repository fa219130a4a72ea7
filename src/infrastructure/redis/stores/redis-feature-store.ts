import type { Redis } from "ioredis";
import { v7 as newId } from "uuid";
import { externalActor, type Revision, recordMetaOf } from "../../../domain/admin/change.ts";
import type { FeatureStore, SetAddress, SetChange, SetChangeResult } from "../../../domain/admin/feature-store.ts";
import type { SetIndex } from "../../../domain/admin/set-index.ts";
import { RevisionMismatch, tooManyMembers } from "../../../domain/errors.ts";
import { type FeatureKey, isServedKey } from "../../../domain/evaluation/feature.ts";
import type { SetRecorder } from "../../../domain/events/set-recorder.ts";
import { isOwnKey } from "../../stores/store-keys.ts";
import type { EmptyStoreGuard } from "../empty-store-guard.ts";
import { expectedRevision } from "../expected-revision.ts";
import { loadSets } from "../import/load-sets.ts";
import { redisFault } from "../redis-fault.ts";
import { bookkeeping } from "../redis-keys.ts";
import { scan, scanFrom } from "../scan.ts";
import { Script } from "../script.ts";

const script = new Script("change-set");
const urgentScript = new Script("change-set", "allow-oom");

/** In databases with more keys, users per feature are not counted, and sets are not read all at once. */
const maxCounted = 20_000;
/** More than a set may have. */
const maxMembers = 1_000_001;
/** Maximum number of pages of keys before a list of keys is returned as incomplete: about a million keys. */
const maxPages = 1_000;

/** The same before a page of the sets that have a feature is returned, possibly empty. */
const maxPagesOfHolders = 50;

type ScriptInput = {
  readonly text: string;
  readonly values: readonly (string | number)[];
  readonly idempotencyKey: string | undefined;
};

/** The sets of a Redis store: changes them, each change with its record in one script. */
export function redisFeatureStore(
  redis: Redis,
  guard: EmptyStoreGuard,
): FeatureStore & SetRecorder & SetIndex & { probe(key: string): Promise<void> } {
  async function apply(change: SetChange): Promise<SetChangeResult> {
    const { key, personal, idempotencyKey, ifRevision, urgent, limit } = change;
    await guard.demandFilled();
    const add = [...new Set(change.add)];
    const remove = [...new Set(change.remove)];
    const reply = await run("change", { key, personal }, urgent ? urgentScript : script, {
      text: JSON.stringify({ of: "set", key, ...recordMetaOf(change) }),
      values: [expectedRevision(ifRevision), limit ?? "", add.length, ...add, ...remove],
      idempotencyKey,
    });
    if (reply === null) throw new RevisionMismatch();
    if (reply === 0 && limit !== undefined) throw tooManyMembers(key, limit);
    return JSON.parse(String(reply));
  }

  async function* setsFrom(prefix: string): AsyncGenerator<readonly string[]> {
    for await (const page of scan(redis, prefix, "set")) yield page.filter((key) => !isOwnKey(key));
  }

  function run(task: string, { key, personal }: SetAddress, use = script, wanted?: ScriptInput): Promise<unknown> {
    const { head, shadow, outbox, once } = bookkeeping(key);
    const keys = [key, head, shadow, outbox];
    if (wanted?.idempotencyKey !== undefined) keys.push(once(wanted.idempotencyKey));
    const id = newId();
    const found = JSON.stringify({ of: "set", key, id, by: externalActor });
    const values = [task, personal ? "1" : "", id, found, wanted?.text ?? "", ...(wanted?.values ?? [])];
    return use.run(redis, keys, values).catch((error) => redisFault(error, key));
  }

  return {
    apply,
    async load(batch) {
      await guard.demandFilled();
      return loadSets(redis, batch, (change) => apply(change));
    },
    reconcile: async (set) => (await run("reconcile", set)) === 1,
    async rebase(set) {
      await run("rebase", set);
    },
    async revisions(keys) {
      const revisionOf = async (key: string): Promise<Revision | undefined> => {
        const { head } = bookkeeping(key);
        const text = await redis.get(head).catch((error) => redisFault(error, head));
        const [epoch, number] = text?.split(" ") ?? [];
        return epoch && number ? { epoch, number: Number(number) } : undefined;
      };
      return Promise.all(keys.map(revisionOf));
    },
    async keys(prefix, max) {
      const found = new Set<string>();
      let pages = 0;
      for await (const page of setsFrom(prefix)) {
        for (const key of page) found.add(key);
        pages += 1;
        if (found.size > max || pages === maxPages) return { keys: [...found].slice(0, max), complete: false };
      }
      return { keys: [...found], complete: true };
    },
    async *allKeys(prefix) {
      for await (const page of setsFrom(prefix)) yield [...new Set(page)];
    },
    async holders(prefix, features) {
      if (features.length === 0) return [];
      if ((await redis.dbsize().catch((error) => redisFault(error, prefix))) > maxCounted)
        return features.map(() => undefined);
      const counts = features.map(() => 0);
      const counted = new Set<string>();
      for await (const page of setsFrom(prefix)) {
        // A key may occur in two pages.
        const keys = [...new Set(page).difference(counted)];
        const found = await Promise.all(
          keys.map((key) => redis.smismember(key, ...features).catch((error) => redisFault(error, key))),
        );
        for (const has of found) for (const [index, is] of has.entries()) counts[index] = (counts[index] ?? 0) + is;
        for (const key of keys) counted.add(key);
      }
      return counts;
    },
    async holding(prefix, feature, limit, after = "0") {
      await guard.demandFilled();
      const found: string[] = [];
      let pages = 0;
      for await (const { keys, next } of scanFrom(redis, after, prefix, "set")) {
        const own = keys.filter((key) => !isOwnKey(key));
        const has = own.map((key) => redis.smismember(key, feature).catch((error) => redisFault(error, key)));
        for (const [index, [is]] of (await Promise.all(has)).entries()) if (is === 1) found.push(own[index] ?? "");
        pages += 1;
        if (next !== "0" && (found.length >= limit || pages === maxPagesOfHolders)) return { keys: found, next };
      }
      return { keys: found };
    },
    async contents(prefix) {
      await guard.demandFilled();
      if ((await redis.dbsize().catch((error) => redisFault(error, prefix))) > maxCounted) return undefined;
      const sets = new Map<string, readonly FeatureKey[]>();
      for await (const page of setsFrom(prefix)) {
        const keys = page.filter((key) => !sets.has(key));
        // As SMEMBERS, but within the rights of a reader.
        const members = keys.map((key) => redis.srandmember(key, maxMembers).catch((error) => redisFault(error, key)));
        for (const [index, found] of (await Promise.all(members)).entries()) {
          const features = found.filter(isServedKey);
          if (features.length > 0) sets.set(keys[index] ?? "", features);
        }
      }
      return { sets };
    },
    /** Dry run of a set change, without writes. Rejects as the change would. */
    async probe(key) {
      await run("probe", { key, personal: false }, urgentScript);
    },
  };
}
