import type { Redis } from "ioredis";
import { v7 as newId } from "uuid";
import type { Batch, BatchResult } from "../../../domain/admin/batch.ts";
import { authorOfRecord, externalActor, type Revision } from "../../../domain/admin/change.ts";
import type {
  FeatureStore,
  SetAddress,
  SetChange,
  SetChangeResult,
  SetLoad,
} from "../../../domain/admin/feature-store.ts";
import type { HoldingSets, SetContents, SetIndex } from "../../../domain/admin/set-index.ts";
import type { SetRecorder } from "../../../domain/admin/set-recorder.ts";
import { RevisionMismatch, tooManyMembers } from "../../../domain/errors.ts";
import { type FeatureKey, isServedKey } from "../../../domain/evaluation/feature.ts";
import type { EmptyStoreGuard } from "../empty-store-guard.ts";
import { expectedRevision } from "../expected-revision.ts";
import { loadSets } from "../import/load-sets.ts";
import { redisFault } from "../redis-fault.ts";
import { bookkeeping, isOwnKey } from "../redis-keys.ts";
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
  readonly once: string | undefined;
};

/** The sets of a Redis store: changes them, each change with its record in one script. */
export class RedisFeatureStore implements FeatureStore, SetRecorder, SetIndex {
  readonly #redis: Redis;
  readonly #guard: EmptyStoreGuard;

  constructor(redis: Redis, guard: EmptyStoreGuard) {
    this.#redis = redis;
    this.#guard = guard;
  }

  async apply(change: SetChange): Promise<SetChangeResult> {
    const { key, personal, idempotencyKey: once, ifRevision, urgent, limit } = change;
    await this.#guard.demandFilled();
    const add = [...new Set(change.add)];
    const remove = [...new Set(change.remove)];
    const reply = await this.#run("change", { key, personal }, urgent ? urgentScript : script, {
      text: JSON.stringify({ of: "set", key, ...authorOfRecord(change) }),
      values: [expectedRevision(ifRevision), limit ?? "", add.length, ...add, ...remove],
      once,
    });
    if (reply === null) throw new RevisionMismatch();
    if (reply === 0 && limit !== undefined) throw tooManyMembers(key, limit);
    return JSON.parse(String(reply));
  }

  async load(batch: Batch<SetLoad>): Promise<BatchResult> {
    await this.#guard.demandFilled();
    return loadSets(this.#redis, batch, (change) => this.apply(change));
  }

  async reconcile(set: SetAddress): Promise<boolean> {
    return (await this.#run("reconcile", set)) === 1;
  }

  async rebase(set: SetAddress): Promise<void> {
    await this.#run("rebase", set);
  }

  async revisions(keys: readonly string[]): Promise<readonly (Revision | undefined)[]> {
    const revisionOf = async (key: string): Promise<Revision | undefined> => {
      const { head } = bookkeeping(key);
      const text = await this.#redis.get(head).catch((error) => redisFault(error, head));
      const [epoch, number] = text?.split(" ") ?? [];
      return epoch && number ? { epoch, number: Number(number) } : undefined;
    };
    return Promise.all(keys.map(revisionOf));
  }

  async keys(prefix: string, max: number): Promise<{ readonly keys: readonly string[]; readonly complete: boolean }> {
    const found = new Set<string>();
    let pages = 0;
    for await (const page of this.#setsFrom(prefix)) {
      for (const key of page) found.add(key);
      pages += 1;
      if (found.size > max || pages === maxPages) return { keys: [...found].slice(0, max), complete: false };
    }
    return { keys: [...found], complete: true };
  }

  async *allKeys(prefix: string): AsyncGenerator<readonly string[]> {
    for await (const page of this.#setsFrom(prefix)) yield [...new Set(page)];
  }

  async holders(prefix: string, features: readonly FeatureKey[]): Promise<readonly (number | undefined)[]> {
    if (features.length === 0) return [];
    if ((await this.#redis.dbsize().catch((error) => redisFault(error, prefix))) > maxCounted)
      return features.map(() => undefined);
    const counts = features.map(() => 0);
    const counted = new Set<string>();
    for await (const page of this.#setsFrom(prefix)) {
      // A key may occur in two pages.
      const keys = [...new Set(page).difference(counted)];
      const found = await Promise.all(
        keys.map((key) => this.#redis.smismember(key, ...features).catch((error) => redisFault(error, key))),
      );
      for (const has of found) for (const [index, is] of has.entries()) counts[index] = (counts[index] ?? 0) + is;
      for (const key of keys) counted.add(key);
    }
    return counts;
  }

  async holding(prefix: string, feature: FeatureKey, limit: number, after = "0"): Promise<HoldingSets> {
    await this.#guard.demandFilled();
    const found: string[] = [];
    let pages = 0;
    for await (const { keys, next } of scanFrom(this.#redis, after, prefix, "set")) {
      const own = keys.filter((key) => !isOwnKey(key));
      const has = own.map((key) => this.#redis.smismember(key, feature).catch((error) => redisFault(error, key)));
      for (const [index, [is]] of (await Promise.all(has)).entries()) if (is === 1) found.push(own[index] ?? "");
      pages += 1;
      if (next !== "0" && (found.length >= limit || pages === maxPagesOfHolders)) return { keys: found, next };
    }
    return { keys: found };
  }

  async contents(prefix: string): Promise<SetContents | undefined> {
    await this.#guard.demandFilled();
    if ((await this.#redis.dbsize().catch((error) => redisFault(error, prefix))) > maxCounted) return undefined;
    const sets = new Map<string, readonly FeatureKey[]>();
    for await (const page of this.#setsFrom(prefix)) {
      const keys = page.filter((key) => !sets.has(key));
      // As SMEMBERS, but within the rights of a reader.
      const members = keys.map((key) =>
        this.#redis.srandmember(key, maxMembers).catch((error) => redisFault(error, key)),
      );
      for (const [index, found] of (await Promise.all(members)).entries()) {
        const features = found.filter(isServedKey);
        if (features.length > 0) sets.set(keys[index] ?? "", features);
      }
    }
    return { sets };
  }

  /** Dry run of a set change, without writes. Rejects as the change would. */
  async probe(key: string): Promise<void> {
    await this.#run("probe", { key, personal: false }, urgentScript);
  }

  async *#setsFrom(prefix: string): AsyncGenerator<readonly string[]> {
    for await (const page of scan(this.#redis, prefix, "set")) yield page.filter((key) => !isOwnKey(key));
  }

  #run(task: string, { key, personal }: SetAddress, use = script, wanted?: ScriptInput): Promise<unknown> {
    const { head, shadow, outbox, once } = bookkeeping(key);
    const keys = [key, head, shadow, outbox];
    if (wanted?.once !== undefined) keys.push(once(wanted.once));
    const id = newId();
    const found = JSON.stringify({ of: "set", key, id, by: externalActor });
    const values = [task, personal ? "1" : "", id, found, wanted?.text ?? "", ...(wanted?.values ?? [])];
    return use.run(this.#redis, keys, values).catch((error) => redisFault(error, key));
  }
}
