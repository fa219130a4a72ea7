import type { FeatureState } from "../ui/feature-state.tsx";
import type { Event } from "./event-queries.ts";

/** What an event changed, as its data tell it. */
type EventData = {
  readonly type?: string;
  readonly origin?: string;
  readonly collection?: string;
  readonly name?: string;
  readonly value?: unknown;
  readonly before?: unknown;
  readonly added?: readonly string[];
  readonly removed?: readonly string[];
  readonly size?: number;
  readonly note?: string;
};

export const dataOf = ({ data }: Event): EventData => Object(data) as EventData;

/** The shape beside an event: what it did to the features it names; `token` and `event` are no change of a feature. */
export type EventShape = FeatureState | "token" | "event";

export function shapeOf(event: Event): EventShape {
  const { type, added = [], removed = [], value } = dataOf(event);
  if (type === "token") return "token";
  if (type === "document") return value === null ? "off" : "on-for-some";
  if (type !== "set") return "event";
  const isVeto = /kill/i.test(event.key ?? "");
  if (added.length > 0) return isVeto ? "killed" : "on";
  return removed.length > 0 ? (isVeto ? "on" : "off") : "event";
}

/** What the change was made with. */
export function madeWith(event: Event): string {
  if (dataOf(event).origin === "external") return "edited outside";
  if (dataOf(event).origin === "baseline") return "baseline";
  if (event.recorded_by.startsWith("cli:")) return "CLI";
  return event.component === "features" ? "API" : event.component;
}

/** Who made the change. Nobody is known for an edit outside Tidegate. */
export const authorIn = ({ recorded_by: by }: Event): string =>
  by === "external" ? "unknown" : by.replace(/^cli:/, "");

/** The features that an event names, at most one if it is the feature of a document. */
export function featuresIn(event: Event): readonly string[] {
  const { type, added = [], removed = [], name } = dataOf(event);
  if (type === "set") return [...added, ...removed];
  return type === "document" && event.component === "features" && name !== undefined ? [name] : [];
}

/** Whether an event tells of a change. The others begin the record of a set or of a collection. */
export const isChange = (event: Event): boolean =>
  dataOf(event).origin !== "baseline" && dataOf(event).collection !== "complete";
