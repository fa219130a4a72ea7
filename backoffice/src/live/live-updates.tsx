import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { bodyOf, events } from "../api/client.ts";
import { sessionKey } from "../api/session.ts";
import { servicePath } from "../routing/location.ts";
import { toast } from "../ui/toasts.tsx";
import { setConnection } from "./connection.ts";
import { featuresOf, type LiveEvent } from "./live-event.ts";
import { announceEvents } from "./on-events.ts";

/** Time in which events are collected before anything is read again, in milliseconds. */
const batchMs = 250;
const longestWaitMs = 8_000;
/** A stream that returns sooner was not missed. */
const unnoticedMs = 2_000;

/** The lists of features and events follow events themselves, and the page System polls. */
const refreshedElsewhere: ReadonlySet<unknown> = new Set(["session", "features", "event-list", "system"]);

/**
 * Follows the event log on one `EventSource`, and invalidates what changed: the queries of the features in an event,
 * and everything after a lost connection. Mount it once, while signed in.
 */
export function LiveUpdates() {
  const client = useQueryClient();
  useEffect(() => {
    let stream: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let lostAt: Date | undefined;
    let isPaused = false;
    let position: number | undefined;
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
    const take = ({ data, lastEventId }: MessageEvent<string>) => {
      position = Number(lastEventId) || position;
      setConnection({ is: "live", position });
      if (data === "") return;
      if (batch.length === 0) setTimeout(flush, batchMs);
      batch.push(JSON.parse(data));
    };
    /** The stream names positions of new events only. */
    const showPosition = async () => {
      const { events: newest } = await bodyOf(events.$get({ query: { limit: "1" } })).catch(() => ({ events: [] }));
      position ??= newest[0]?.position;
      if (stream?.readyState === EventSource.OPEN) setConnection({ is: "live", position });
    };
    const isBack = () => {
      failures = 0;
      setConnection({ is: "live", position });
      if (position === undefined) void showPosition();
      if (!lostAt && !isPaused) return;
      if (lostAt && Date.now() - lostAt.getTime() > unnoticedMs) toast("Connected again.");
      lostAt = undefined;
      isPaused = false;
      // Events may have been missed.
      void client.invalidateQueries();
      announceEvents("missed");
    };
    const retry = () => {
      stream?.close();
      lostAt ??= new Date();
      const wait = Math.min(longestWaitMs, 1_000 * 2 ** failures) * (0.8 + 0.4 * Math.random());
      failures += 1;
      const nextTry = new Date(Date.now() + wait);
      setConnection({ is: "lost", since: lostAt, nextTry });
      timer = setTimeout(connect, wait);
      // The stream also ends with the session, and does not tell the status.
      void client.invalidateQueries({ queryKey: sessionKey });
    };
    const connect = () => {
      clearTimeout(timer);
      stream?.close();
      stream = new EventSource(`${servicePath}events/stream`);
      stream.addEventListener("open", isBack);
      stream.addEventListener("message", take);
      stream.addEventListener("error", retry);
    };
    // Browsers open six connections per server, and a page that nobody sees keeps its own, also one that Back leads to.
    const pause = () => {
      clearTimeout(timer);
      stream?.close();
      isPaused = true;
    };
    const resume = () => isPaused && connect();
    const pauseHidden = () => (document.hidden ? pause() : connect());
    connect();
    document.addEventListener("visibilitychange", pauseHidden);
    addEventListener("pagehide", pause);
    addEventListener("pageshow", resume);
    addEventListener(tryNow, connect);
    addEventListener("online", connect);
    return () => {
      clearTimeout(timer);
      stream?.close();
      document.removeEventListener("visibilitychange", pauseHidden);
      removeEventListener("pagehide", pause);
      removeEventListener("pageshow", resume);
      removeEventListener(tryNow, connect);
      removeEventListener("online", connect);
      setConnection({ is: "connecting" });
    };
  }, [client]);
  return null;
}

const tryNow = "tidegate:connect";

/** Connects at once, instead of at the next attempt. */
export const connectNow = (): boolean => dispatchEvent(new Event(tryNow));
