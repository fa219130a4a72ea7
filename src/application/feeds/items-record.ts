import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey, Json } from "../../domain/evaluation/feature.ts";
import type { KnownItem } from "../../domain/feeds/item.ts";

/** The collection of the records of feeds, one document a feed: its last record. */
export const feedsCollection = "feeds";

/** An item in a record: what decides which features are on. */
type RecordedItem = {
  readonly id: string;
  readonly features: readonly FeatureKey[];
  readonly onFrom: string;
  readonly onUntil: string;
  readonly offered: boolean;
};

/**
 * Items of a feed that changed, in a document of `feedsCollection`. Records of one `base` belong together: the first begin with all items
 * that were known, up to one that `isWhole`; those after it tell changes.
 */
export type ItemsRecord = {
  /** The id of the first record. */
  readonly base: string;
  /** When the first one was written. */
  readonly since: string;
  readonly isWhole: boolean;
  /** The epoch of the store's items; null where there were none. */
  readonly epoch: string | null;
  /** How many items all records of the base have, up to this one. */
  readonly count: number;
  readonly items: readonly RecordedItem[];
};

/** The record in a document that was written as one. */
export const itemsRecordIn = (value: Json): ItemsRecord => value as unknown as ItemsRecord;

export const recordedItem = ({ id, features, onFrom, onUntil, isOffered }: KnownItem): RecordedItem => ({
  id,
  features,
  onFrom: timeText(onFrom),
  onUntil: timeText(onUntil),
  offered: isOffered,
});

/** An item as a record tells it; of what no record tells there is nothing. */
export function itemOf({ id, features, onFrom, onUntil, offered }: RecordedItem): KnownItem {
  const [from, until] = [Date.parse(onFrom), Date.parse(onUntil)];
  return {
    id,
    uuid: "",
    title: null,
    start: { at: from, date: "", time: null },
    end: { at: until, date: "", time: null },
    minPrice: null,
    maxPrice: null,
    features,
    onFrom: from,
    onUntil: until,
    metadata: {},
    isOffered: offered,
    wasOffered: offered,
    lastListedAt: null,
  };
}

const timeText = (at: Instant): string => new Date(at).toISOString();
