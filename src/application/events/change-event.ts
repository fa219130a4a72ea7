import { type ChangeRecord, externalActor, type SetRecord } from "../../domain/admin/change.ts";
import type { Json } from "../../domain/evaluation/feature.ts";
import { featuresComponent, type NewEvent, tidegateComponent } from "../../domain/events/event.ts";
import type { RecordedEvent } from "../../domain/events/event-log.ts";
import { credentialsCollection } from "../admin/stored-credential.ts";
import { feedsCollection, itemsRecordIn } from "../feeds/items-record.ts";

/** The collection of what is said of features. */
export const catalogueCollection = "catalogue";
/**
 * The collection whose documents say since when the log tells of all settings of another one, by its name: that is when they were
 * recorded. Being documents, they outlive retention.
 */
export const coverageCollection = "complete";
/** The documents of all other collections are of features, by their names: their changes are events of the component `features`. */
const othersCollections = [coverageCollection, credentialsCollection, feedsCollection];

const longestList = 5;

/**
 * The event of a change of the store that a connection leads to. `store` keys its history: the identity of the store,
 * or, where it has none, the name of the connection.
 */
export function changeEvent(
  connection: string,
  record: ChangeRecord,
  environment: string,
  store = connection,
): RecordedEvent {
  return {
    id: record.id,
    component: isOfFeatures(record) ? featuresComponent : tidegateComponent,
    environment,
    email: record.email ?? emailOf(record.by),
    message: messageOf(record),
    data: dataOf(connection, record),
    at: record.at,
    recordedBy: record.by,
    change: { store, record },
  };
}

/** The event that keeps what an outbox held and the log cannot take as what it was meant to be. */
export const deadLetterEvent = (
  id: string,
  at: number,
  environment: string,
  aside: { readonly store: string; readonly entry: string; readonly reason: string },
): NewEvent => ({
  id,
  component: tidegateComponent,
  environment,
  email: emailOf(externalActor),
  message: `an entry in the outbox of ${aside.store} was set aside: ${aside.reason}`,
  data: { type: "set-aside", ...aside, entry: storable(aside.entry) },
  at,
  recordedBy: externalActor,
});

/** An address for somebody who is known by name only. No mail reaches `.invalid` (RFC 2606). */
export const emailOf = (by: string): string =>
  by.includes("@") ? by : `${by.replace(/[^A-Za-z0-9._-]+/g, ".") || "unknown"}@tidegate.invalid`;

/** Whether a record is of what features are. A document is that of the feature whose name it has. */
export const isOfFeatures = (record: ChangeRecord): boolean =>
  record.of === "set" || (record.of === "document" && !othersCollections.includes(record.collection));

function messageOf(record: ChangeRecord): string {
  switch (record.of) {
    case "set":
      return setMessage(record);
    case "document":
      if (record.collection === feedsCollection)
        return `${record.name}: ${itemsRecordIn(record.value).items.length} items of the feed`;
      if (record.collection === coverageCollection) return `all settings in ${record.name} are recorded from here on`;
      return `${record.collection}: ${record.name} ${record.value === null ? "removed" : "set"}`;
    case "token":
      return `token ${record.tokenId} ${record.origin} for user ${record.userId}`;
  }
}

function setMessage({ origin, key, added, removed, size }: SetRecord): string {
  if (origin === "baseline") return `${key} holds ${size} when its record begins`;
  const parts = [
    ...(added.length > 0 ? [`${listed(added)} added`] : []),
    ...(removed.length > 0 ? [`${listed(removed)} removed`] : []),
  ];
  if (origin === "change") return `${key}: ${parts.join(", ") || "nothing changed"}`;
  return `${key}, not through Tidegate: ${parts.join(", ") || `it holds ${size} now`}`;
}

const listed = (features: readonly string[]): string =>
  features.length <= longestList ? features.join(", ") : `${features.length} features`;

/** The record as people and programs may read it, without what the event tells beside. */
function dataOf(connection: string, record: ChangeRecord): { readonly [name: string]: Json } {
  const { id: _id, by: _by, email: _email, at: _at, of, revision, ...rest } = record;
  return { type: of, store: connection, revision: `${revision.epoch}.${revision.number}`, ...rest };
}

/** A text that every database takes. */
const storable = (text: string): string => text.toWellFormed().replaceAll("\0", "\\0");
