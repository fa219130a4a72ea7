import type { Instant } from "../evaluation/evaluation-context.ts";
import type { KnownItem } from "./item.ts";

/** Position of an item in the timeline, for paging. */
export type TimelinePosition = readonly [start: Instant, end: Instant, id: string];

/** Timeline: items sorted by start. Holds a hundred thousand items and more. */
export class Timeline {
  #byId = new Map<string, KnownItem>();
  #byUuid = new Map<string, KnownItem>();
  #ordered: readonly KnownItem[] = [];

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): KnownItem | undefined {
    return this.#byId.get(id);
  }

  /** The item with a UUID. */
  find(uuid: string): KnownItem | undefined {
    return this.#byUuid.get(uuid);
  }

  /** All items, in order. */
  all(): readonly KnownItem[] {
    return this.#ordered;
  }

  /** A copy with the same items. */
  copy(): Timeline {
    const copy = new Timeline();
    copy.#byId = new Map(this.#byId);
    copy.#byUuid = new Map(this.#byUuid);
    copy.#ordered = this.#ordered;
    return copy;
  }

  /** Puts items; an item replaces the one with the same id. Put many at once: each call scans all items. */
  put(items: readonly KnownItem[]): void {
    if (items.length === 0) return;
    const added = new Map(items.map((item) => [item.id, item]));
    const isKnown = items.some(({ id }) => this.#byId.has(id));
    const others = isKnown ? this.#ordered.filter(({ id }) => !added.has(id)) : this.#ordered;
    this.#ordered = merged(others, [...added.values()].sort(inOrder));
    for (const item of added.values()) {
      this.#byId.set(item.id, item);
      this.#byUuid.set(item.uuid, item);
    }
  }

  /** The items that start at `from` or later and end at `to` or earlier, in order; after a position, if given. */
  *within(from: Instant, to: Instant, after?: TimelinePosition): Generator<KnownItem> {
    const first = this.#ordered;
    for (let index = this.#indexOf(from, after); index < first.length; index++) {
      const item = first[index];
      if (!item || item.start.at > to) return;
      if (item.end.at <= to) yield item;
    }
  }

  /** The index of the first item that starts at `from` or later and is after the position. */
  #indexOf(from: Instant, after: TimelinePosition | undefined): number {
    let [low, high] = [0, this.#ordered.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const item = this.#ordered[middle];
      if (item && (item.start.at < from || (after && comparePositions(positionOf(item), after) <= 0))) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export const positionOf = ({ start, end, id }: KnownItem): TimelinePosition => [start.at, end.at, id];

const inOrder = (one: KnownItem, other: KnownItem): number => comparePositions(positionOf(one), positionOf(other));

/** Compares by start, then by end, then by id. */
export const comparePositions = (one: TimelinePosition, other: TimelinePosition): number =>
  one[0] - other[0] || one[1] - other[1] || (one[2] < other[2] ? -1 : Number(one[2] > other[2]));

function merged(one: readonly KnownItem[], other: readonly KnownItem[]): readonly KnownItem[] {
  const all: KnownItem[] = [];
  let index = 0;
  for (const item of one) {
    for (let next = other[index]; next && inOrder(next, item) < 0; next = other[index]) {
      all.push(next);
      index += 1;
    }
    all.push(item);
  }
  for (; index < other.length; index++) all.push(other[index] as KnownItem);
  return all;
}
