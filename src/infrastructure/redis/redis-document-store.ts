import type { Redis } from "ioredis";
import { authored, type Revision } from "../../domain/change.ts";
import type { Document, DocumentChange, DocumentStore } from "../../domain/document-store.ts";
import { RevisionMismatch, StoreDataInvalid } from "../../domain/errors.ts";
import type { Json } from "../../domain/feature.ts";
import { putDocumentScript } from "./put-document-script.ts";
import { redisFault } from "./redis-fault.ts";
import { bookkeeping, collectionKey } from "./redis-keys.ts";
import { revisionText } from "./revision-text.ts";
import { Script } from "./script.ts";

const script = new Script(putDocumentScript);
const urgentScript = new Script(putDocumentScript, true);

/** Keeps documents in Redis, a hash a collection. Of one that was removed its revision stays. */
export class RedisDocumentStore implements DocumentStore {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async get(collection: string, name: string): Promise<Document | undefined> {
    const key = collectionKey(collection);
    const text = await this.#redis.hget(key, name).catch((error) => redisFault(error, key));
    return text === null ? undefined : documentIn(text, key);
  }

  async all(collection: string): Promise<ReadonlyMap<string, Document>> {
    const key = collectionKey(collection);
    const texts = await this.#redis.hgetall(key).catch((error) => redisFault(error, key));
    const documents = new Map<string, Document>();
    for (const name of Object.keys(texts).sort()) {
      const document = documentIn(texts[name] ?? "", key);
      if (document) documents.set(name, document);
    }
    return documents;
  }

  /** What is removed is so also where the store is full. */
  async put(change: DocumentChange): Promise<{ readonly before: Json | undefined; readonly revision: Revision }> {
    const { collection, name, value, id, once, ifRevision } = change;
    const key = collectionKey(collection);
    const own = bookkeeping(key);
    const keys = [key, own.outbox, ...(once === undefined ? [] : [own.once(JSON.stringify([name, once]))])];
    const record = JSON.stringify({ of: "document", collection, name, value, ...authored(change) });
    const values = [name, JSON.stringify(value), record, id, revisionText(ifRevision)];
    const answer = await (value === null ? urgentScript : script)
      .run(this.#redis, keys, values)
      .catch((error) => redisFault(error, key));
    if (answer === null) throw new RevisionMismatch();
    const { before, revision } = JSON.parse(String(answer));
    return { before, revision };
  }
}

function documentIn(text: string, key: string): Document | undefined {
  try {
    const { value, epoch, number } = JSON.parse(text);
    return value === null ? undefined : { value, revision: { epoch, number } };
  } catch {
    throw new StoreDataInvalid(`${key} holds something that is no document; mend it in Redis`);
  }
}
