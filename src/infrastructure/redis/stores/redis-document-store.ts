import { isDeepStrictEqual } from "node:util";
import type { Redis } from "ioredis";
import { v7 as newId } from "uuid";
import { authorOf } from "../../../domain/admin/batch.ts";
import { recordMetaOf } from "../../../domain/admin/change.ts";
import type { ChangedDocument, Document, DocumentChange, DocumentStore } from "../../../domain/admin/document-store.ts";
import { RevisionMismatch, StoreDataInvalid } from "../../../domain/errors.ts";
import { collectionKey } from "../../stores/store-keys.ts";
import type { EmptyStoreGuard } from "../empty-store-guard.ts";
import { expectedRevision } from "../expected-revision.ts";
import { loadBatch } from "../import/load-batch.ts";
import { redisFault } from "../redis-fault.ts";
import { bookkeeping } from "../redis-keys.ts";
import { Script } from "../script.ts";

const script = new Script("put-document");
const urgentScript = new Script("put-document", "allow-oom");

/** Document store in Redis, one hash per collection. The revision of a deleted document is kept. */
export function redisDocumentStore(
  redis: Redis,
  guard: EmptyStoreGuard,
): DocumentStore & { probe(collection: string): Promise<void> } {
  async function get(collection: string, name: string): Promise<Document | undefined> {
    const key = collectionKey(collection);
    const text = await redis.hget(key, name).catch((error) => redisFault(error, key));
    return text === null ? undefined : documentIn(text, key);
  }

  /** Deletions work also if the store is full. */
  async function put(change: DocumentChange): Promise<ChangedDocument> {
    const { collection, name, value, idempotencyKey } = change;
    if (value !== null) await guard.demandFilled();
    const key = collectionKey(collection);
    const own = bookkeeping(key);
    const keys = [
      key,
      own.outbox,
      ...(idempotencyKey === undefined ? [] : [own.once(JSON.stringify([name, idempotencyKey]))]),
    ];
    const reply = await (value === null ? urgentScript : script)
      .run(redis, keys, valuesOf(change))
      .catch((error) => redisFault(error, key));
    if (reply === null) throw new RevisionMismatch();
    const { before, revision } = JSON.parse(String(reply));
    return { before, revision };
  }

  return {
    get,
    put,
    async all(collection) {
      const key = collectionKey(collection);
      const texts = await redis.hgetall(key).catch((error) => redisFault(error, key));
      const documents = new Map<string, Document>();
      for (const name of Object.keys(texts).sort()) {
        const document = documentIn(texts[name] ?? "", key);
        if (document) documents.set(name, document);
      }
      return documents;
    },
    async revisions(collection) {
      const key = collectionKey(collection);
      const texts = await redis.hgetall(key).catch((error) => redisFault(error, key));
      return new Map(Object.entries(texts).map(([name, text]) => [name, documentFrom(text, key).revision]));
    },
    async load(batch) {
      await guard.demandFilled();
      return loadBatch(redis, batch, [], {
        name: "a document that is loaded",
        change: async (documents) => {
          const found = await Promise.all(documents.map(({ collection, name }) => get(collection, name)));
          const changed = documents.filter(
            ({ value }, index) => !isDeepStrictEqual(found[index]?.value ?? null, value),
          );
          await Promise.all(changed.map((document) => put({ ...authorOf(batch), id: newId(), ...document })));
          return changed.length;
        },
      });
    },
    /** Dry run of a document change, without writes. Rejects as the change would. */
    async probe(collection) {
      const key = collectionKey(collection);
      await urgentScript
        .run(redis, [key, bookkeeping(key).outbox], ["", "", "", "", ""])
        .catch((error) => redisFault(error, key));
    },
  };
}

/** The arguments of the script. */
function valuesOf(change: DocumentChange): readonly string[] {
  const { collection, name, value, id, ifRevision, newEpoch } = change;
  const record = JSON.stringify({ of: "document", collection, name, value, ...recordMetaOf(change) });
  return [name, JSON.stringify(value), record, id, expectedRevision(ifRevision), newEpoch ? "1" : ""];
}

/** Parses a stored document. `undefined` if it was deleted. Throws `StoreDataInvalid`, which names the key. */
export function documentIn(text: string, key = "a collection"): Document | undefined {
  const { value, revision } = documentFrom(text, key);
  return value === null ? undefined : { value, revision };
}

function documentFrom(text: string, key: string): Document {
  try {
    const { value, epoch, number } = JSON.parse(text);
    return { value, revision: { epoch, number } };
  } catch {
    throw new StoreDataInvalid(`${key} contains invalid JSON; fix it in Redis`);
  }
}
