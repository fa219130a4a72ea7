import type { Revision } from "../../domain/admin/change.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { KnownItem } from "../../domain/feeds/item.ts";
import type { ItemChanges, ItemStore } from "../../domain/feeds/item-store.ts";
import type { RecallItems } from "./items-as-of.ts";

/** The items of feeds at one moment. Read-only. Reads reject as `RecallItems` does. */
export class PastItemStore implements ItemStore {
  readonly #recall: RecallItems;
  readonly #store: string;
  readonly #at: Instant;
  readonly #items = new Map<string, Promise<readonly KnownItem[]>>();

  constructor(recall: RecallItems, store: string, at: Instant) {
    this.#recall = recall;
    this.#store = store;
    this.#at = at;
  }

  async since(feed: string, revision: Revision | undefined, limit: number): Promise<ItemChanges> {
    const read = this.#items.get(feed) ?? this.#recall.execute(this.#store, feed, this.#at);
    this.#items.set(feed, read);
    const from = revision?.number ?? 0;
    const items = (await read).slice(from, from + limit);
    return { items, revision: { epoch: "past", number: from + items.length }, state: undefined };
  }

  put(): Promise<void> {
    return refused();
  }

  keepState(): Promise<void> {
    return refused();
  }
}

const refused = (): Promise<never> => Promise.reject(new Error("the past cannot be changed"));
