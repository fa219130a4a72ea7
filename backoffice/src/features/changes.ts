import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { bodyOf, v1 } from "../api/client.ts";
import { once } from "../api/once.ts";
import { pathSegment } from "../api/path-segment.ts";
import { durationText } from "../ui/time.tsx";
import { toast } from "../ui/toasts.tsx";
import { reachText } from "./audience.ts";
import { patchFeature, refreshFeature, type ViewedFeature } from "./feature-list.ts";
import type { FeatureUsage } from "./list-actions.ts";
import { usageText } from "./usage.ts";

const parameter = (key: string) => ({ feature: pathSegment(key) });

/** What a change of a set changed: nothing if somebody made the same change before. */
type SetChange = { readonly source: string; readonly added: readonly string[]; readonly removed: readonly string[] };
const isMade = ({ added, removed }: SetChange): boolean => added.length + removed.length > 0;

/** Whose set it is: of a user or location. Empty for the set of everyone. */
export type Holder = { readonly userId?: string; readonly location?: string };

/**
 * Adds a feature to a set of a source, or removes it. Without a precondition: all features share the revision of their
 * set, and a change of membership can only repeat a concurrent change of the same feature.
 */
export function setMember(source: string, key: string, isOn: boolean, holder: Holder = {}): Promise<SetChange> {
  const route = v1.sources[":source"].features[":feature"];
  const request = { param: { source: pathSegment(source), ...parameter(key) }, query: holder };
  return bodyOf(isOn ? route.$put(request) : route.$delete(request));
}

/**
 * The changes of one feature that a row offers, with their toasts and undo. Each rejects if the API refuses, and is made
 * once, however often it is called while it is under way.
 */
export function useFeatureChanges(): {
  readonly switchEveryone: (source: string, key: string, isOn: boolean, usage?: FeatureUsage) => Promise<void>;
  readonly switchHolder: (source: string, key: string, isOn: boolean, holder: Holder) => Promise<void>;
  readonly killFeature: (key: string, note: string) => Promise<void>;
  readonly undoKill: (key: string) => Promise<void>;
} {
  const client = useQueryClient();
  return {
    switchEveryone: (source, key, ...rest) =>
      once(nameOf(source, key), () => switchWithUndo(client, source, key, ...rest)),
    switchHolder: (source, key, isOn, holder) =>
      once(nameOf(source, key, holder), () => switchHolder(client, source, key, isOn, holder)),
    killFeature: (key, note) => once(nameOf("kill", key), () => killWithUndo(client, key, note)),
    undoKill: (key) => once(nameOf("undo kill", key), () => undoKill(client, key)),
  };
}

const nameOf = (...what: readonly unknown[]): string => JSON.stringify(what);

/** Shows the change at once, and takes it back if the API refuses it. */
async function switchWithUndo(
  client: QueryClient,
  source: string,
  key: string,
  isOn: boolean,
  usage?: FeatureUsage,
): Promise<void> {
  const show = (value: boolean) =>
    patchFeature(client, key, (feature) => ({ ...feature, on: { ...feature.on, [source]: value } }));
  show(isOn);
  let change: SetChange;
  try {
    change = await setMember(source, key, isOn);
  } catch (error) {
    show(!isOn);
    throw error;
  }
  const feature = await refreshFeature(client, key);
  const isGate = feature?.sources.find((each) => each.source === source)?.role === "gate";
  const [state, whom] = isGate
    ? [isOn ? "let through" : "held", ` by gate ${source}`]
    : [isOn ? "on" : "off", " for everyone"];
  if (isMade(change)) {
    const used = usage ? ` ${usageText(usage.total, usage.evaluated)}` : "";
    toast(
      `${key} is ${isOn || isGate ? state : "no longer on"}${whom}.${isGate ? "" : restText(isOn, feature)}${used}`,
      () => switchWithUndo(client, source, key, !isOn),
    );
  } else toast(`${key} was ${state}${whom} already. ${earlierText(feature, source)}`);
}

/** What a switch for everyone did not change. Empty if that is nothing. */
function restText(isOn: boolean, feature: ViewedFeature | undefined): string {
  if (!feature) return "";
  if (isOn) return feature.killed ? " It stays off until its kill is undone." : "";
  const rest = reachText(feature.audience);
  return rest === "nobody" ? "" : ` It stays on for ${rest}.`;
}

async function switchHolder(client: QueryClient, source: string, key: string, isOn: boolean, holder: Holder) {
  const change = await setMember(source, key, isOn, holder);
  await client.invalidateQueries({ queryKey: ["feature", key] });
  const whom = holder.userId ?? `location ${holder.location}`;
  const state = isOn ? "added" : "removed";
  if (isMade(change)) {
    toast(`${key} ${state} for ${whom}.`, () => switchHolder(client, source, key, !isOn, holder));
  } else toast(`${key} was ${state} for ${whom} already.`);
}

/** Kills a feature, and waits until each instance confirms it, for at most 1 s. */
async function killWithUndo(client: QueryClient, key: string, note: string): Promise<void> {
  const query = { wait: "true", ...(note && { note }) } as const;
  const change = await bodyOf(v1.killed[":feature"].$put({ param: parameter(key), query }));
  const { confirmed = 0, missing = 0 } = change;
  const feature = await refreshFeature(client, key);
  if (!isMade(change)) toast(`${key} was killed already. ${earlierText(feature, change.source)}`);
  else if (!missing) toast(`Killed ${key}. It is off for everyone.`, () => undoKill(client, key));
  else {
    const confirmation = `${confirmed} of ${confirmed + missing} processes confirmed it; the others did not answer yet.`;
    toast(`Killed ${key}. ${confirmation}`, () => undoKill(client, key));
  }
}

/** Removes a kill: the feature is back as it was. */
async function undoKill(client: QueryClient, key: string): Promise<void> {
  const change = await bodyOf(v1.killed[":feature"].$delete({ param: parameter(key), query: { wait: "true" } }));
  const feature = await refreshFeature(client, key);
  const earlier = isMade(change)
    ? "is back exactly as it was."
    : `was not killed. ${earlierText(feature, change.source)}`;
  toast(`${key} ${earlier}`);
}

/** Who made the change that a source shows of a feature. Empty if the event log does not know. */
function earlierText(feature: ViewedFeature | undefined, source: string): string {
  const last = feature?.sources.find((each) => each.source === source)?.lastChange;
  if (!last) return "";
  const by = last.by === "external" ? "Somebody" : last.by;
  return `${by} changed it ${durationText(Date.now() - Date.parse(last.at))} ago.`;
}
