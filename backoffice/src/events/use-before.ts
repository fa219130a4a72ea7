import { useQuery } from "@tanstack/react-query";
import { type RefObject, useEffect, useState } from "react";
import type { EventEntry } from "./event-entry.ts";
import { eventQuery } from "./event-queries.ts";
import { dataOf, isOfCredential } from "./event-view.ts";

/**
 * An entry with the rule or description before it. Where the loaded events do not have it, the event is read by itself,
 * once the entry is seen.
 */
export function useBefore(entry: EventEntry, isSeen = true): EventEntry {
  const { first, events, before } = entry;
  const isUnknown =
    before === undefined && events.length === 1 && dataOf(first).type === "document" && !isOfCredential(first);
  const { data } = useQuery({ ...eventQuery(first.id), staleTime: Infinity, enabled: isUnknown && isSeen });
  return isUnknown && data ? { ...entry, before: data.before } : entry;
}

/** Whether an element has been in view. */
export function useSeen(element: RefObject<Element | null>): boolean {
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    if (!element.current || isSeen) return;
    const observer = new IntersectionObserver((found) => {
      if (found.some(({ isIntersecting }) => isIntersecting)) setSeen(true);
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element, isSeen]);
  return isSeen;
}
