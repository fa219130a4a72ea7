import type { EditableSet } from "../../domain/admin/editable-set.ts";
import type { UserId } from "../../domain/evaluation/evaluation-context.ts";
import { inOrder } from "../../domain/evaluation/feature.ts";
import type { TokenResolver } from "../../domain/evaluation/token-resolver.ts";
import { callStore } from "../admin/call-store.ts";
import type { EditableSources } from "../admin/editable-sources.ts";
import { hasUsers } from "../features/source-listing.ts";

/** Users whose ids begin with a text, sorted by code point. */
export type FoundUsers = {
  readonly users: readonly { readonly userId: UserId; readonly features?: number }[];
  /** Whether these are all that have sets of their own. */
  readonly complete: boolean;
};

/** Finds users. There is no list of users: only those that have a set of their own can be searched. */
export class FindUsers {
  readonly #sources: EditableSources;
  readonly #tokens: TokenResolver;

  constructor(sources: EditableSources, tokens: TokenResolver) {
    this.#sources = sources;
    this.#tokens = tokens;
  }

  /**
   * The users whose ids begin with a text, at most `limit`. `features`: the number of features in their sets, if the
   * store can read all sets at once. Rejects with `SourceUnavailable`.
   */
  async search(prefix: string, limit: number): Promise<FoundUsers> {
    const found = new Map<UserId, number | undefined>();
    let complete = true;
    for (const { name, editableSet: stored } of this.#sources.sources.filter(hasUsers)) {
      if (!stored) continue;
      const { key } = stored;
      const listed = await callStore(name, () => keysOf(stored, prefix, limit));
      complete &&= listed.complete;
      for (const [each, features] of listed.keys) {
        const userId = key.valuesIn(each)?.userId;
        if (!userId?.startsWith(prefix)) continue;
        found.set(userId, features === undefined ? undefined : (found.get(userId) ?? 0) + features);
      }
    }
    const users = inOrder(found.keys()).slice(0, limit);
    return {
      users: users.map((userId) => {
        const features = found.get(userId);
        return { userId, ...(features !== undefined && { features }) };
      }),
      complete: complete && found.size <= limit,
    };
  }

  /** The user of a token; `undefined` if the token is unknown. Rejects if the store of tokens is unavailable. */
  async ofToken(token: string): Promise<UserId | undefined> {
    return callStore("tokens", async () => (await this.#tokens.resolve(token)).value);
  }
}

/** The keys of users' sets that may match, each with the number of its features, if that is known. */
async function keysOf({ key, index }: EditableSet, prefix: string, limit: number) {
  const contents = await index.contents(key.prefix);
  if (contents) {
    const all = [...contents.sets].map(([each, features]) => [each, features.length] as const);
    return { keys: all, complete: true };
  }
  const { keys, complete } = await index.keys(key.prefixFor({ userId: prefix }), limit);
  return { keys: keys.map((each) => [each, undefined] as const), complete };
}
