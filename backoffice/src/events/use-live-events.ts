import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useEvents } from "../live/on-events.ts";
import type { eventPages } from "./event-queries.ts";

/**
 * Whether the list follows the log. While it does, new events appear at its top; while it does not, they are counted.
 * The query of the list is read again, so that filters apply to what is new.
 */
export function useLiveEvents(query: ReturnType<typeof eventPages>): {
  readonly isLive: boolean;
  readonly waiting: number;
  readonly setLive: (isLive: boolean) => void;
} {
  const client = useQueryClient();
  const [isLive, setIsLive] = useState(true);
  const [waiting, setWaiting] = useState(0);
  const { queryKey } = query;
  const refresh = () => {
    setWaiting(0);
    // Older pages are read again only when they are scrolled to: their cursors stay valid.
    client.setQueryData<InfiniteData<unknown>>(queryKey, (data) =>
      data ? { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) } : data,
    );
    void client.invalidateQueries({ queryKey });
  };
  useEvents((events) => {
    if (isLive || events === "missed") refresh();
    else setWaiting((count) => count + events.length);
  });
  useEffect(() => setWaiting(0), [isLive]);
  return {
    isLive,
    waiting,
    setLive: (next) => {
      setIsLive(next);
      if (next) refresh();
    },
  };
}
