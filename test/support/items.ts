import type { KnownItem } from "../../src/domain/feeds/item.ts";

/** An item that is on for the first second of 1970, with some fields replaced. */
export const anItem = (id: string, changes: Partial<KnownItem> = {}): KnownItem => ({
  id,
  uuid: `00000000-0000-5000-8000-${id.padStart(12, "0")}`,
  title: `Item ${id}`,
  start: { at: 0, date: "1970-01-01", time: "00:00:00" },
  end: { at: 1_000, date: "1970-01-01", time: "00:00:01" },
  minPrice: null,
  maxPrice: null,
  features: [`item_${id}`],
  onFrom: 0,
  onUntil: 1_000,
  metadata: {},
  isOffered: true,
  wasOffered: true,
  lastListedAt: null,
  ...changes,
});
