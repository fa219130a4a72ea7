import { useEffect, useRef } from "react";
import type { LiveEvent } from "./live-event.ts";

/** New events of the last 250 ms; `missed` after a lost connection, when everything must be read again. */
type Announcement = readonly LiveEvent[] | "missed";

const listeners = new Set<(events: Announcement) => void>();

export function announceEvents(events: Announcement): void {
  for (const listener of listeners) listener(events);
}

/** Calls `take` with new events while the component is mounted, such as to flash what changed. */
export function useEvents(take: (events: Announcement) => void): void {
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    const listener = (events: Announcement) => latest.current(events);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
}
