import type { Source } from "../api/sources.ts";
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

/** What the change was made with. */
export function madeWith(event: Event): string {
  if (dataOf(event).origin === "external") return "edited outside";
  if (event.recorded_by.startsWith("cli:")) return "CLI";
  return event.component === "features" ? "API" : event.component;
}

/** Who made the change. Nobody is known for an edit outside Tidegate. */
export const authorIn = ({ recorded_by: by }: Event): string =>
  by === "external" ? "unknown" : by.replace(/^cli:/, "");

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
