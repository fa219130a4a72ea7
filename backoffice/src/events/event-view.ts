import type { Source } from "../api/sources.ts";
import { authorName } from "../ui/author-name.ts";
import type { FeatureState } from "../ui/feature-state.tsx";
import type { Event } from "./event-queries.ts";

/** What an event changed, as its data tell it. */
type EventData = {
  readonly type?: string;
  readonly origin?: string;
  readonly collection?: string;
  readonly name?: string;
  readonly value?: unknown;
  readonly added?: readonly string[];
  readonly removed?: readonly string[];
  readonly size?: number;
  readonly note?: string;
  readonly batch?: string;
  readonly via?: string;
  readonly reverts?: string;
  readonly tokenId?: string;
};

export const dataOf = ({ data }: Event): EventData => Object(data) as EventData;

/** The sources by their names. */
export type SourcesByName = ReadonlyMap<string, Source>;

/** The source that reads what an event changed, by the present configuration. */
export const sourceOf = ({ sources: [name = ""] = [] }: Event, sources: SourcesByName): Source | undefined =>
  sources.get(name);

/** Whether an event changed a credential. Its value has the digest of a secret, which is not shown. */
export const isOfCredential = (event: Event): boolean => dataOf(event).collection === "credentials";

/** The shape beside an event: what it did to the features it names; `token` and `event` are no change of a feature. */
export type EventShape = FeatureState | "token" | "event";

export function shapeOf(event: Event, sources: SourcesByName): EventShape {
  const { type, added = [], removed = [], value } = dataOf(event);
  if (type === "token" || isOfCredential(event)) return "token";
  if (type === "document" && sourceOf(event, sources)) return value === null ? "off" : "on-for-some";
  if (type !== "set" || added.length + removed.length === 0) return "event";
  const isAdded = added.length > 0;
  const role = sourceOf(event, sources)?.role;
  if (role === "veto") return isAdded ? "killed" : "on";
  if (role === "gate") return isAdded ? "on-for-some" : "held";
  return isAdded ? "on" : "off";
}

/** Who made the change; "unknown" for an edit outside Tidegate, and "Tidegate" for a record that it made by itself. */
export function authorIn(event: Event): string {
  const { recorded_by: by } = event;
  return by === "external" && isOwnRecord(event) ? "Tidegate" : authorName(by);
}

/** What the change was made with; `undefined` for a record that Tidegate made by itself. */
export function madeWith(event: Event): string | undefined {
  const { recorded_by: by, component } = event;
  if (by === "external") return isOwnRecord(event) ? undefined : "edited outside";
  if (by.startsWith("cli:")) return "CLI";
  if (dataOf(event).via !== undefined) return dataOf(event).via;
  return component === "features" || component === "tidegate" ? "API" : component;
}

/** Whether an event without an actor is no edit: such as the start of a record, or the items of a feed. */
const isOwnRecord = (event: Event): boolean =>
  !isOfCredential(event) && (event.component === "tidegate" || dataOf(event).origin === "baseline");

/** Whether an event tells of a change. The others begin the record of a set or of a collection. */
export function isChange(event: Event): boolean {
  const { type, origin, collection } = dataOf(event);
  return origin !== "baseline" && type !== "complete" && collection !== "complete";
}

/** Whether an event can be reverted: changes of sets, rules and descriptions can. */
export function isRevertible(event: Event): boolean {
  const { type, added = [], removed = [] } = dataOf(event);
  if (event.component !== "features") return false;
  return type === "document" || (type === "set" && added.length + removed.length > 0);
}
