import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { sessionKey } from "../api/session.ts";
import { toast } from "../ui/toasts.tsx";
import { type Connection, setConnection } from "./connection.ts";
import type { News } from "./event-stream.ts";
import { featuresOf, type LiveEvent } from "./live-event.ts";
import { announceEvents } from "./on-events.ts";
import { followEvents } from "./shared-stream.ts";

/** Time in which events are collected before anything is read again, in milliseconds. */
const batchMs = 250;
/** A stream that returns sooner was not missed. */
const unnoticedMs = 2_000;

/** The lists of features and events follow events themselves, and the page System polls. */
const refreshedElsewhere: ReadonlySet<unknown> = new Set(["session", "features", "event-list", "system"]);

/**
 * Follows the event log, and invalidates what changed: the queries of the features in an event, and everything if
 * events may have been missed. Mount it once, while signed in.
 */
export function LiveUpdates() {
  const client = useQueryClient();
  useEffect(() => {
    let before: Connection | undefined;
    let batch: LiveEvent[] = [];

    const flush = () => {
      const recorded = batch;
      batch = [];
      const features = new Set(recorded.flatMap(featuresOf));
      announceEvents(recorded);
      void client.invalidateQueries({
        predicate: ({ queryKey: [of, key] }) => {
          if (refreshedElsewhere.has(of)) return false;
          return of !== "feature" || features.has(String(key));
        },
      });
    };
    const connectionIs = (connection: Connection) => {
      setConnection(connection);
      if (connection.is === "live" && before?.is === "lost") {
        if (Date.now() - before.since.getTime() > unnoticedMs) toast("Connected again.");
      }
      // The stream also ends with the session, and does not tell the status.
      if (connection.is === "lost") void client.invalidateQueries({ queryKey: sessionKey });
      before = connection;
    };
    const take = (news: News) => {
      if (news === "missed") {
        void client.invalidateQueries();
        announceEvents("missed");
      } else if ("connection" in news) connectionIs(news.connection);
      else {
        if (batch.length === 0) setTimeout(flush, batchMs);
        batch.push(news.event);
      }
    };
    const end = followEvents(take);
    return () => {
      end();
      setConnection({ is: "connecting" });
    };
  }, [client]);
  return null;
}
