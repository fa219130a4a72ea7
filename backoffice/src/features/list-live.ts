import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { featuresOf } from "../live/live-event.ts";
import { useEvents } from "../live/on-events.ts";
import { refreshFeature } from "./feature-list.ts";

/** More changes at once are read with the whole list. */
const maxSingle = 20;
const flashMs = 2_000;

/**
 * Keeps the rows of the list up to date: a changed feature is read again and stays in its place. Returns the features
 * that changed in the last 2 s, and whether the order of the list may have changed.
 */
export function useLiveList(keys: readonly string[]): {
  readonly flashing: ReadonlySet<string>;
  readonly moved: number;
  readonly reload: () => void;
} {
  const client = useQueryClient();
  const [flashing, setFlashing] = useState<ReadonlySet<string>>(new Set());
  const [moved, setMoved] = useState<ReadonlySet<string>>(new Set());
  const reload = () => {
    setMoved(new Set());
    void client.resetQueries({ queryKey: ["features", "list"] });
  };
  useEvents((events) => {
    if (events === "missed") return reload();
    const changed = [...new Set(events.flatMap(featuresOf))];
    if (changed.length === 0) return;
    const known = new Set(keys);
    const here = changed.filter((key) => known.has(key));
    if (here.length > maxSingle) void client.invalidateQueries({ queryKey: ["features", "list"] });
    else for (const key of here) void refreshFeature(client, key);
    setMoved((before) => new Set([...before, ...changed.filter((key) => !known.has(key))]));
    setFlashing((before) => new Set([...before, ...here]));
    setTimeout(() => setFlashing((now) => new Set([...now].filter((key) => !here.includes(key)))), flashMs);
  });
  return { flashing, moved: moved.size, reload };
}
