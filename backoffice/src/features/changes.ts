import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { bodyOf, v1 } from "../api/client.ts";
import { toast } from "../ui/toasts.tsx";
import { patchFeature, refreshFeature } from "./feature-list.ts";

const parameter = (key: string) => ({ feature: encodeURIComponent(key) });

/** Adds a feature to the set of a source for everyone, or removes it. */
export async function setEveryone(source: string, key: string, isOn: boolean): Promise<void> {
  const route = v1.sources[":source"].features[":feature"];
  const request = { param: { source: encodeURIComponent(source), ...parameter(key) }, query: {} };
  await bodyOf(isOn ? route.$put(request) : route.$delete(request));
}

/** Kills a feature, and waits until each instance confirms it, for at most 1 s. */
export const kill = (key: string, note: string) =>
  bodyOf(v1.killed[":feature"].$put({ param: parameter(key), query: { wait: "true", ...(note && { note }) } }));

/** Removes a kill: the feature is back as it was. */
export const unkill = (key: string) =>
  bodyOf(v1.killed[":feature"].$delete({ param: parameter(key), query: { wait: "true" } }));

/** The changes of one feature that a row offers, with their toasts and undo. Each rejects if the API refuses. */
export function useFeatureChanges(): {
  readonly switchEveryone: (source: string, key: string, isOn: boolean) => Promise<void>;
  readonly killFeature: (key: string, note: string) => Promise<void>;
  readonly undoKill: (key: string) => Promise<void>;
} {
  const client = useQueryClient();
  const undoKill = async (key: string) => {
    await unkill(key);
    await refreshFeature(client, key);
    toast(`${key} is back exactly as it was.`);
  };
  return {
    switchEveryone: (source, key, isOn) => switchWithUndo(client, source, key, isOn),
    killFeature: async (key, note) => {
      const { confirmed = 0, missing = 0 } = await kill(key, note);
      await refreshFeature(client, key);
      const text = missing
        ? `Killed ${key}. ${confirmed} of ${confirmed + missing} processes confirmed it; the others did not answer yet.`
        : `Killed ${key}. It is off for everyone.`;
      toast(text, () => undoKill(key));
    },
    undoKill,
  };
}

/** Shows the change at once, and takes it back if the API refuses it. */
async function switchWithUndo(client: QueryClient, source: string, key: string, isOn: boolean): Promise<void> {
  const show = (value: boolean) =>
    patchFeature(client, key, (feature) => ({ ...feature, on: { ...feature.on, [source]: value } }));
  show(isOn);
  try {
    await setEveryone(source, key, isOn);
  } catch (error) {
    show(!isOn);
    throw error;
  }
  await refreshFeature(client, key);
  const text = `${key} is ${isOn ? "on" : "no longer on"} for everyone.`;
  toast(text, () => switchWithUndo(client, source, key, !isOn));
}
