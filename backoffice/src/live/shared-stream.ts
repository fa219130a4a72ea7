import type { Connection } from "./connection.ts";
import { type EventStream, type News, openEventStream, streamUrl } from "./event-stream.ts";
import { inOneWindow } from "./window-lock.ts";

/** What windows send each other: the news, or a request to the window that keeps the stream. */
type Message = News | "state?" | "connect";

/**
 * Follows the event log on one stream for all visible windows of a browser, which has six connections for all of them.
 * The window that holds a lock keeps the stream and passes its news on. When it is hidden or closed, the next one opens
 * a stream, and all read again what may have changed meanwhile. A hidden window gets no news, and reads everything again
 * when it is seen. Returns how to end it.
 */
export function followEvents(take: (news: News) => void): () => void {
  const others = new BroadcastChannel(streamUrl);
  let own: EventStream | undefined;
  let state: Connection | undefined;
  /** Set while this window is seen; aborted when it is hidden. */
  let seen: AbortController | undefined;
  /** Whether this window was hidden, and may have missed events. */
  let isLate = false;

  const accept = (news: News) => {
    if (news === "missed") isLate = false;
    else if ("connection" in news) state = news.connection;
    take(news);
  };
  const tell = (news: News) => {
    others.postMessage(news);
    accept(news);
  };
  const hear = ({ data }: MessageEvent<Message>) => {
    if (data === "connect") own?.connect();
    else if (data === "state?") {
      if (own && state) others.postMessage({ connection: state });
    } else if (seen && !own) {
      accept(data);
      if (isLate && state?.is === "live") accept("missed");
    }
  };
  const keep = (signal: AbortSignal) =>
    new Promise<void>((release) => {
      if (signal.aborted) return release();
      own = openEventStream(tell, isLate, state);
      signal.addEventListener("abort", () => {
        own?.close();
        own = undefined;
        release();
      });
    });
  const show = () => {
    if (seen || document.hidden) return;
    seen = new AbortController();
    others.postMessage("state?");
    inOneWindow(streamUrl, seen.signal, keep);
  };
  const hide = () => {
    seen?.abort();
    seen = undefined;
    isLate = true;
  };
  const change = () => (document.hidden ? hide() : show());
  const connect = () => (own ? own.connect() : others.postMessage("connect"));

  const ending = new AbortController();
  const { signal } = ending;
  others.addEventListener("message", hear, { signal });
  document.addEventListener("visibilitychange", change, { signal });
  // A page that Back leads to is hidden, too.
  addEventListener("pagehide", hide, { signal });
  addEventListener("pageshow", show, { signal });
  addEventListener(tryNow, connect, { signal });
  addEventListener("online", connect, { signal });
  if (document.hidden) hide();
  else show();
  return () => {
    ending.abort();
    hide();
    others.close();
  };
}

const tryNow = "tidegate:connect";

/** Connects at once, instead of at the next attempt. */
export const connectNow = (): boolean => dispatchEvent(new Event(tryNow));
