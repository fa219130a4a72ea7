import { isDeepStrictEqual } from "node:util";
import { type Check, expectThat, NotApplicable } from "../check.ts";
import { type EventStream, typeOf } from "../event-stream.ts";
import { faultIn, schemas } from "../schema.ts";
import type { Server } from "../server.ts";

const adr = "OFREP 0.3.0, ADR 0008";
const webProvider = "@openfeature/ofrep-web-provider 0.4.3";

/** Opens an advertised stream for the time of a check. */
async function streaming<T>(
  server: Server,
  check: (stream: EventStream) => Promise<T>,
  headers: Readonly<Record<string, string>> = {},
): Promise<T> {
  const stream = await server.openStream(await server.streamUrl(), headers);
  try {
    return await check(stream);
  } finally {
    stream.close();
  }
}

async function expectRefetch(stream: EventStream, what: string): Promise<void> {
  const event = await stream.next();
  expectThat(event !== undefined, `${what}: no event in time`);
  expectThat(typeOf(event) === "refetchEvaluation", `${what}: expected refetchEvaluation, got ${event.data}`);
}

/** Checks of event streams. */
export const streamChecks: readonly Check[] = [
  {
    id: "stream-entry",
    level: "must",
    rule: "An entry of eventStreams has a type, and either url or endpoint.",
    source: adr,
    run: async (server) => {
      const { bulk } = await server.evaluateAll();
      if (!bulk.eventStreams) throw new NotApplicable("the server advertises no event stream");
      for (const entry of bulk.eventStreams) {
        const fault = faultIn(schemas.eventStream, entry);
        expectThat(fault === undefined, `eventStreams: ${fault}`);
      }
    },
  },
  {
    id: "stream-content-type",
    level: "must",
    rule: "An advertised stream opens without a header, as text/event-stream.",
    source: `${adr}; EventSource sends no Authorization header`,
    run: (server) =>
      streaming(server, async ({ status, headers }) => {
        expectThat(status === 200, `expected 200, got ${status}`);
        const type = headers["content-type"] ?? "none";
        expectThat(/^text\/event-stream\b/.test(type), `expected text/event-stream, got ${type}`);
      }),
  },
  {
    id: "stream-first-event",
    level: "must",
    rule: "The first event of a connection is refetchEvaluation.",
    source: `${webProvider} does not fetch after a reconnect by itself, so changes in between are lost`,
    run: (server) => streaming(server, (stream) => expectRefetch(stream, "first connection")),
  },
  {
    id: "stream-reconnect",
    level: "must",
    rule: "A connection with any Last-Event-ID begins with refetchEvaluation as well.",
    source: `${webProvider}, as above; the header may hold anything`,
    run: (server) =>
      streaming(server, (stream) => expectRefetch(stream, "Last-Event-ID: nonsense"), { "Last-Event-ID": "nonsense" }),
  },
  {
    id: "stream-unnamed-events",
    level: "must",
    rule: "Events have no name, or the name message.",
    source: `${adr}; EventSource delivers other names to listeners of that name only`,
    run: (server) =>
      streaming(server, async (stream) => {
        const event = await stream.next();
        if (!event) throw new NotApplicable("needs stream-first-event");
        const isUnnamed = event.event === undefined || event.event === "message";
        expectThat(isUnnamed, `an event has the name ${event.event}`);
      }),
  },
  {
    id: "stream-stable-url",
    level: "must",
    rule: "Equal requests advertise the same stream.",
    source: "the ETag covers the body; a URL that changes defeats it",
    run: async (server) => {
      const one = await server.evaluateAll();
      if (!one.bulk.eventStreams) throw new NotApplicable("the server advertises no event stream");
      const other = await server.evaluateAll();
      expectThat(isDeepStrictEqual(one.bulk.eventStreams, other.bulk.eventStreams), "two requests had different URLs");
    },
  },
  {
    id: "stream-url-secret",
    level: "must",
    rule: "The stream's URL does not contain the credential.",
    source: `${adr}; URLs are logged`,
    run: async (server) => {
      const { token } = server.options;
      if (token === undefined) throw new NotApplicable("needs --token");
      const { href } = await server.streamUrl();
      expectThat(!href.includes(token) && !href.includes(encodeURIComponent(token)), "the URL contains the credential");
    },
  },
  {
    id: "stream-bad-url",
    level: "must",
    rule: "A stream with a changed token is a client error.",
    source: adr,
    run: async (server) => {
      const url = await server.streamUrl();
      const [name] = [...url.searchParams.keys()];
      if (name === undefined) throw new NotApplicable("the stream's URL has no query");
      url.searchParams.set(name, "ofrep-conformance");
      const stream = await server.openStream(url);
      stream.close();
      const isRefused = stream.status >= 400 && stream.status < 500;
      expectThat(isRefused, `expected a status from 400 to 499, got ${stream.status}`);
    },
  },
  {
    id: "stream-change",
    level: "must",
    rule: "A change causes a refetchEvaluation.",
    source: adr,
    run: (server) =>
      streaming(server, async (stream) => {
        if (!(await stream.next())) throw new NotApplicable("needs stream-first-event");
        await server.changed(() => expectRefetch(stream, "after the change"));
      }),
  },
  {
    id: "stream-shedding",
    level: "must",
    rule: "A server that refuses a stream stops advertising it, under another ETag.",
    source: `${webProvider} reconnects to a refused stream every second, for ever`,
    run: async (server) => {
      const url = await server.streamUrl();
      const tag = await server.entityTag();
      const open: EventStream[] = [];
      try {
        while (open.length < server.options.streams && open.at(-1)?.status !== 429 && open.at(-1)?.status !== 503) {
          open.push(await server.openStream(url));
        }
        const last = open.at(-1)?.status;
        if (last === 200) throw new NotApplicable(`none of ${server.options.streams} streams was refused`);
        const { answer, bulk } = await server.evaluateAll();
        expectThat(bulk.eventStreams === undefined, `a stream was refused with ${last}, and is still advertised`);
        expectThat(answer.headers.etag !== tag, "the response without eventStreams has the same ETag");
      } finally {
        for (const stream of open) stream.close();
      }
    },
  },
];
