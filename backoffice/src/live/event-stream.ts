import { bodyOf, events } from "../api/client.ts";
import { servicePath } from "../routing/location.ts";
import type { Connection } from "./connection.ts";
import type { LiveEvent } from "./live-event.ts";

const longestWaitMs = 8_000;

/** What a stream brings: its state, an event, or that events may have been missed. */
export type News = { readonly connection: Connection } | { readonly event: LiveEvent } | "missed";

export const streamUrl: string = `${servicePath}events/stream`;

/** A stream that reconnects until it is closed. */
export type EventStream = {
  /** Connects at once, instead of at the next attempt. */
  readonly connect: () => void;
  readonly close: () => void;
};

/** Opens the stream of the event log, also in place of an earlier one. `isLate`: events may have been missed before. */
export function openEventStream(tell: (news: News) => void, isLate: boolean, before?: Connection): EventStream {
  let stream: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let lostAt = before?.is === "lost" ? before.since : undefined;
  let hasMissed = isLate || before !== undefined;
  let position: number | undefined;

  const tellLive = () => tell({ connection: { is: "live", position } });
  const take = ({ data, lastEventId }: MessageEvent<string>) => {
    position = Number(lastEventId) || position;
    tellLive();
    if (data !== "") tell({ event: JSON.parse(data) });
  };
  /** The stream names positions of new events only. */
  const showPosition = async () => {
    const { events: newest } = await bodyOf(events.$get({ query: { limit: "1" } })).catch(() => ({ events: [] }));
    position ??= newest[0]?.position;
    if (stream?.readyState === EventSource.OPEN) tellLive();
  };
  const isBack = () => {
    failures = 0;
    lostAt = undefined;
    tellLive();
    if (position === undefined) void showPosition();
    if (hasMissed) tell("missed");
    hasMissed = false;
  };
  const retry = () => {
    stream?.close();
    lostAt ??= new Date();
    hasMissed = true;
    const wait = Math.min(longestWaitMs, 1_000 * 2 ** failures) * (0.8 + 0.4 * Math.random());
    failures += 1;
    tell({ connection: { is: "lost", since: lostAt, nextTry: new Date(Date.now() + wait) } });
    timer = setTimeout(connect, wait);
  };
  const close = () => {
    clearTimeout(timer);
    stream?.close();
  };
  const connect = () => {
    close();
    stream = new EventSource(streamUrl);
    stream.addEventListener("open", isBack);
    stream.addEventListener("message", take);
    stream.addEventListener("error", retry);
  };
  connect();
  return { connect, close };
}
