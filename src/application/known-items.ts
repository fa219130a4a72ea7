import type { Revision } from "../domain/change.ts";
import type { KnownItem, PollState } from "../domain/item.ts";
import type { ItemStore } from "../domain/item-store.ts";
import { Timeline } from "../domain/timeline.ts";

/** So many are read at once, and put in their places at once: others wait for some milliseconds. */
const atOnce = 500;
const putAtOnce = 5_000;

/** What a store knows of a partner's items, kept in memory. */
export class KnownItems {
  /** Grows with each change of what is known. */
  generation = 0;
  state: PollState | undefined;
  /** `undefined` until all were read once. */
  timeline: Timeline | undefined;
  readonly #provider: string;
  readonly #store: ItemStore;
  #revision: Revision | undefined;
  #underway: Promise<Timeline> | undefined;

  constructor(provider: string, store: ItemStore) {
    this.#provider = provider;
    this.#store = store;
  }

  /** Reads what came since the last time. Callers that come meanwhile share that. Rejects where the store does not answer; what was known stays. */
  refresh(): Promise<Timeline> {
    this.#underway ??= this.#read().finally(() => {
      this.#underway = undefined;
    });
    return this.#underway;
  }

  async #read(): Promise<Timeline> {
    let revision = this.#revision;
    let timeline = this.timeline ?? new Timeline();
    let read: KnownItem[] = [];
    while (true) {
      const news = await this.#store.since(this.#provider, revision, atOnce);
      // A store that lost its data, or was restored, knows what it knows.
      if (revision && news.revision?.epoch !== revision.epoch) [timeline, read] = [new Timeline(), []];
      read.push(...news.items);
      revision = news.revision;
      this.state = news.state;
      const isLast = news.items.length < atOnce;
      if (isLast || read.length >= putAtOnce) {
        if (read.length > 0 || timeline !== this.timeline) this.generation += 1;
        timeline.put(read.splice(0));
      }
      if (isLast) break;
      // Stores on this machine answer without a pause.
      await new Promise((resume) => void setImmediate(resume));
    }
    this.#revision = revision;
    this.timeline = timeline;
    return timeline;
  }
}
