import { type ChangeRecord, externalActor, revisionText, type SetRecord } from "../../domain/admin/change.ts";
import type { FeatureKey, Json } from "../../domain/evaluation/feature.ts";
import { featuresComponent, type NewEvent, tidegateComponent } from "../../domain/events/event.ts";
import type { RecordedEvent } from "../../domain/events/event-log.ts";
import { credentialsCollection } from "../admin/stored-credential.ts";
import { featuresNamed, feedsCollection, itemsRecordIn } from "../feeds/items-record.ts";

/** The collection of feature descriptions. */
export const catalogueCollection = "catalogue";
/**
 * The collection of markers for complete history: a document, named after another collection, marks the time from which
 * the log holds all its rules. It is a document because retention keeps the state of documents.
 */
export const coverageCollection = "complete";
/**
 * Documents of all other collections belong to features and have their names. Their changes are events of the component
 * `features`.
 */
const othersCollections = [coverageCollection, credentialsCollection, feedsCollection];

const maxListed = 5;

/**
 * The event of a change in the store of a connection. `store` keys its history: the identity of the store, or the name
 * of the connection if it has none.
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

/** Dead letter: the event for an outbox entry that the log cannot take as its record. */
export const deadLetterEvent = (
  id: string,
  at: number,
  environment: string,
  deadLetter: { readonly store: string; readonly entry: string; readonly reason: string },
): NewEvent => ({
  id,
  component: tidegateComponent,
  environment,
  email: emailOf(externalActor),
  message: `an entry in the outbox of ${deadLetter.store} is a dead letter: ${deadLetter.reason}`,
  data: { type: "set-aside", ...deadLetter, entry: storable(deadLetter.entry) },
  at,
  recordedBy: externalActor,
});

/** An address for an actor without one. `.invalid` receives no mail (RFC 2606). */
export const emailOf = (by: string): string =>
  by.includes("@") ? by : `${by.replace(/[^A-Za-z0-9._-]+/g, ".") || "unknown"}@tidegate.invalid`;

/** Whether a record changes a feature. A document belongs to the feature of its name. */
export const isOfFeatures = (record: ChangeRecord): boolean =>
  record.of === "set" || (record.of === "document" && !othersCollections.includes(record.collection));

/** The features that a record adds, removes or describes, or that the items of a feed name. */
export function featuresIn(record: ChangeRecord): ReadonlySet<FeatureKey> {
  if (record.of === "set") return new Set([...record.added, ...record.removed]);
  if (record.of === "token") return new Set();
  if (record.collection === feedsCollection) return new Set(featuresNamed(record.value));
  return new Set(isOfFeatures(record) ? [record.name] : []);
}

function messageOf(record: ChangeRecord): string {
  switch (record.of) {
    case "set":
      return setMessage(record);
    case "document":
      if (record.collection === feedsCollection)
        return `${record.name}: ${itemsRecordIn(record.value).items.length} items of the feed`;
      if (record.collection === coverageCollection)
        return `all rules in ${record.name} are recorded from this event on`;
      return `${record.collection}: ${record.name} ${record.value === null ? "removed" : "set"}`;
    case "token":
      return `token ${record.tokenId} ${record.origin} for user ${record.userId}`;
  }
}

function setMessage({ origin, key, added, removed, size }: SetRecord): string {
  if (origin === "baseline") return `${key}: ${size} members at the start of its record`;
  const parts = [
    ...(added.length > 0 ? [`${featuresText(added)} added`] : []),
    ...(removed.length > 0 ? [`${featuresText(removed)} removed`] : []),
  ];
  if (origin === "change") return `${key}: ${parts.join(", ") || "nothing changed"}`;
  return `${key}, changed outside Tidegate: ${parts.join(", ") || `${size} members now`}`;
}

const featuresText = (features: readonly string[]): string =>
  features.length <= maxListed ? features.join(", ") : `${features.length} features`;

/** The record as data, without the fields that the event has already. */
function dataOf(connection: string, record: ChangeRecord): { readonly [name: string]: Json } {
  const { id: _id, by: _by, email: _email, at: _at, of, revision, ...rest } = record;
  return { type: of, store: connection, revision: revisionText(revision), ...rest };
}

/** A text that every database can store. */
const storable = (text: string): string => text.toWellFormed().replaceAll("\0", "\\0");
