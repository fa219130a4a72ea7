import { uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { Rules } from "../../../domain/evaluation/rules.ts";
import { rulesOfTexts } from "../../stores/rules-of-texts.ts";
import { collectionKey } from "../../stores/store-keys.ts";
import type { EmptyStoreGuard } from "../empty-store-guard.ts";
import type { RedisClient } from "../redis-client.ts";
import { redisFault } from "../redis-fault.ts";
import { documentIn } from "./redis-document-store.ts";

/** Reads the documents of Redis as rules. */
export function redisRules(redis: RedisClient, guard: EmptyStoreGuard): Rules {
  const rules = rulesOfTexts((text) => documentIn(text)?.value);

  return {
    async read(collection) {
      const at = redis.asOf();
      const key = collectionKey(collection);
      const texts = await guard
        .watch(
          async () => textsIn(await redis.call("HGETALL", key)),
          (found) => found.size > 0,
        )
        .catch((error) => redisFault(error, key));
      return uncachedRead(rules(collection, texts), at);
    },
  };
}

/** Pairs alternating names and texts. An object with 10,000 members would be slower to build. */
function textsIn(reply: unknown): ReadonlyMap<string, string> {
  const all = reply as readonly string[];
  const texts = new Map<string, string>();
  for (let index = 0; index < all.length; index += 2) texts.set(all[index] ?? "", all[index + 1] ?? "");
  return texts;
}
