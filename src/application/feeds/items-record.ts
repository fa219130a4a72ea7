import { instantText } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey, Json } from "../../domain/evaluation/feature.ts";
import type { KnownItem } from "../../domain/feeds/item.ts";

/** The collection of feed records: one document for each feed, its last record. */
export const feedsCollection = "feeds";

/** An item in a record: only the fields that decide which features are on. */
type RecordedItem = {
  readonly id: string;
  readonly features: readonly FeatureKey[];
  readonly onFrom: string;
  readonly onUntil: string;
  readonly offered: boolean;
};

/**
 * Record of changed items of a feed, in a document of `feedsCollection`. Records of one `base` form a series: the first
 * ones hold all known items, up to the one that `isWhole`; later ones hold changes.
 */
export type ItemsRecord = {
  /** The id of the first record of the series. */
  readonly base: string;
  /** The time of the first record. */
  readonly since: string;
  readonly isWhole: boolean;
  /** The epoch of the store's items; null if there were none. */
  readonly epoch: string | null;
  /** The number of items in all records of the base so far. */
  readonly count: number;
  readonly items: readonly RecordedItem[];
};

/** The record in a document of the collection. */
export const itemsRecordIn = (value: Json): ItemsRecord => value as unknown as ItemsRecord;

/** The features that the items of a record name; none if anything else was written into the outbox. */
export function featuresNamed(value: Json): readonly FeatureKey[] {
  const { items } = Object(value) as Partial<ItemsRecord>;
  const named = Array.isArray(items) ? items.flatMap((item) => (Object(item) as Partial<RecordedItem>).features) : [];
  return named.filter((feature) => typeof feature === "string");
}

export const recordedItem = ({ id, features, onFrom, onUntil, isOffered }: KnownItem): RecordedItem => ({
  id,
  features,
  onFrom: instantText(onFrom),
  onUntil: instantText(onUntil),
  offered: isOffered,
});

/** The item of a record. Fields that records do not hold are empty. */
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
