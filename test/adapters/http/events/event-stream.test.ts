import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { EventStreams } from "../../../../src/adapters/http/events/event-streams.ts";
import { listen } from "../../../../src/adapters/http/server/server.ts";
import { createLog } from "../../../../src/infrastructure/logger.ts";
import { openSqlite } from "../../../../src/infrastructure/sqlite/sqlite-connection.ts";
import { credentialsOn } from "../../../support/credentials.ts";
import { admin, ask, embeddedLog, order, postEvent } from "../../../support/event-calls.ts";
import { TestProcess } from "../../../support/process.ts";
import { bearer, startService, type TestService } from "../../../support/service.ts";
import { StreamReader } from "../../../support/stream-reader.ts";
import { until } from "../../../support/until.ts";

const env = { TIDEGATE_ADMIN_TOKEN: admin };
/** Events that clients posted, without those that Tidegate records at a start. */
const follow = (service: Pick<TestService, "url">, query = "?component=order", headers: Record<string, string> = {}) =>
  StreamReader.open(`${service.url}/events/stream${query}`, { ...bearer(admin), ...headers });

describe("the stream of events", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService(embeddedLog, env);
  });
  afterAll(() => service[Symbol.asyncDispose]());

  it("sends each new event once, in order", async () => {
    await postEvent(service, { ...order, message: "before" });
    await using stream = await follow(service);
    await until(() => stream.lastId !== "", "the stream begins");
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
    expect(stream.response.headers.get("cache-control")).toBe("no-store");
    expect(stream.retry).toBe(2_000);
    const notified = [];
    for (let count = 0; count < 40; count++) notified.push(await postEvent(service, { ...order, message: `${count}` }));
    await until(() => stream.messages.length === 40, "all events are sent");
    expect(stream.messages).toEqual(
      notified.map((event) => ({ id: `${event.position}`, data: JSON.stringify(event) })),
    );
  });

  it("resumes after the last received event", async () => {
    const [missed, ...rest] = [
      await postEvent(service, order),
      await postEvent(service, { ...order, message: "two" }),
      await postEvent(service, { ...order, message: "three" }),
    ];
    await using stream = await follow(service, undefined, { "last-event-id": `${missed.position}` });
    await until(() => stream.messages.length === 2, "the missed event arrives");
    rest.push(await postEvent(service, { ...order, message: "four" }));
    await until(() => stream.messages.length === 3, "the later event arrives");
    expect(stream.messages.map(({ data }) => JSON.parse(data))).toEqual(rest);
    await using whole = await follow(service, "", { "last-event-id": "0" });
    const last = rest.at(-1)?.position ?? 0;
    await until(() => whole.messages.length >= last, "the whole log arrives");
    const positions = whole.messages.map(({ id }) => Number(id));
    expect(positions).toEqual(Array.from(positions, (_, index) => index + 1));
  });

  it("sends matching events only", async () => {
    await using failures = await follow(service, "?component=till&message=fail");
    await using all = await follow(service, "?component=till");
    await until(() => failures.lastId !== "" && all.lastId !== "", "both begin");
    await postEvent(service, { ...order, component: "till", message: "opened" });
    await postEvent(service, order);
    const failed = await postEvent(service, { ...order, component: "till", message: "Failed" });
    await until(() => all.messages.length === 2 && failures.messages.length === 1, "both are reported");
    expect(failures.messages[0]).toEqual({ id: `${failed.position}`, data: JSON.stringify(failed) });
  });

  it.each(["x", "-1", "1.5", "1e3", "0x1", " ", "9".repeat(400), "999999999999", "1, 2", "\u00ff"])(
    "rejects the Last-Event-ID %j",
    async (id) => {
      const response = await ask(service, "/events/stream", { "last-event-id": id });
      const text = await response.text();
      expect([response.status, JSON.parse(text).code]).toEqual([400, "invalid-header"]);
    },
  );

  it("is limited to 100 per process, until readers leave", async () => {
    const streams: StreamReader[] = [];
    for (let count = 0; count < 100; count++) streams.push(await follow(service));
    const refused = await ask(service, "/events/stream");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "5"]);
    expect(await refused.json()).toMatchObject({ code: "too-many-streams" });
    const notified = await postEvent(service, order);
    await until(() => streams.every(({ messages }) => messages.length === 1), "all events are sent");
    for (const { messages } of streams) expect(messages[0]?.id).toBe(`${notified.position}`);
    await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
    const open = async () => {
      await using stream = await follow(service);
      return stream.response.status === 200;
    };
    await until(open, "there is room again");
  });

  it("is not started by HEAD", async () => {
    const heads = Array.from({ length: 120 }, () =>
      fetch(`${service.url}/events/stream`, { method: "HEAD", headers: bearer(admin) }),
    );
    for (const { status, headers } of await Promise.all(heads)) {
      expect([status, headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    }
    await using stream = await follow(service);
    expect(stream.response.status).toBe(200);
  });
});

describe("a stream whose credential is revoked", () => {
  it("ends before it sends another event", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-revoked-"));
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(() => rmSync(folder, { recursive: true }));
    const connection = cleanup.use(openSqlite("store", join(folder, "store.db")));
    const credentials = credentialsOn(connection.documents);
    const secret = await credentials.add("short-lived", "viewer", undefined, { by: "tester" });
    const service = cleanup.use(await startService(embeddedLog.replace(/\$\{FOLDER\}(?=.store)/, folder), env));
    await using stream = await follow(service, undefined, bearer(secret));
    const notified = await postEvent(service, order);
    await until(() => stream.messages.length === 1, "the event arrives");
    await credentials.revoke("short-lived", { by: "tester" });
    await until(async () => (await ask(service, "/events", bearer(secret))).status === 401, "it is rejected");
    await postEvent(service, { ...order, message: "secret" });
    await until(() => stream.end === "whole", "the stream ends");
    expect(stream.messages.map(({ id }) => id)).toEqual([`${notified.position}`]);
  });
});

describe("a stop", () => {
  it("ends the streams completely, without waiting for readers", async () => {
    const service = await startService(embeddedLog, env);
    await using stream = await follow(service);
    await until(() => stream.lastId !== "", "the stream begins");
    await service[Symbol.asyncDispose]();
    await until(() => stream.end !== undefined, "the stream ends");
    expect(stream.end).toBe("whole");
  });
});

describe("a reload", () => {
  it("ends the streams completely, and readers resume", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-stream-"));
    const file = join(folder, "tidegate.yaml");
    writeFileSync(file, embeddedLog);
    {
      await using process = new TestProcess(["src/main.ts"], {
        ...env,
        TIDEGATE_CONFIG: file,
        FOLDER: folder,
        PORT: "0",
      });
      const service = { url: await process.url() };
      await using stream = await follow(service);
      const first = await postEvent(service, order);
      await until(() => stream.messages.length === 1, "the first arrives");
      process.signal("SIGHUP");
      await until(() => stream.end !== undefined, "the stream ends");
      expect([stream.end, stream.lastId]).toEqual(["whole", `${first.position}`]);
      const second = await postEvent(service, { ...order, message: "order placed" });
      await using again = await follow(service, undefined, { "last-event-id": stream.lastId });
      await until(() => again.messages.length === 1, "the second arrives");
      expect(JSON.parse(again.messages[0]?.data ?? "")).toEqual(second);
    }
    rmSync(folder, { recursive: true });
  });
});

describe("a stream", () => {
  async function serve(streams: EventStreams, messages: (until: AbortSignal) => AsyncIterator<string>) {
    const respond = () => streams.respond(messages);
    const none = () => false;
    const address = {
      host: "127.0.0.1",
      port: 0,
      basePath: "",
      isWarm: false,
      warmed: async () => {},
      limits: () => undefined,
    };
    const server = await listen(respond, none, () => {}, address, createLog("silent"));
    return { url: server.url, [Symbol.asyncDispose]: () => server.stop(0) };
  }

  it("sends heartbeats", async () => {
    const streams = new EventStreams(1, 20);
    let given: AbortSignal | undefined;
    await using server = await serve(streams, async function* (signal) {
      given = signal;
      yield "id: 1\ndata: a\n\n";
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    });
    await using stream = await StreamReader.open(server.url);
    await until(() => stream.comments > 2, "signs of life come");
    expect(stream.messages).toEqual([{ id: "1", data: "a" }]);
    await stream[Symbol.asyncDispose]();
    await until(() => given?.aborted === true, "the end is noticed");
    streams.close();
  });

  it("buffers little for a stalled reader, and disconnects it", async () => {
    const printed = vi.spyOn(console, "error").mockReturnValue();
    const streams = new EventStreams(1, 500);
    const chunk = `data: ${"x".repeat(65_536)}\n\n`;
    let notified = 0;
    let given: AbortSignal | undefined;
    await using server = await serve(streams, async function* (signal) {
      given = signal;
      for (; notified < 10_000; notified++) yield chunk;
    });
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    socket.on("error", () => {});
    socket.pause().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => given?.aborted === true, "the reader is cut off");
    // In addition to the buffers of the operating system, which take some megabytes.
    expect(notified).toBeLessThan(500);
    expect(printed.mock.calls.join()).toContain("stream closed");
    printed.mockRestore();
    socket.destroy();
    await using another = await StreamReader.open(server.url);
    expect(another.response.status).toBe(200);
  });

  it("continues for a reader that takes a message between two heartbeats, and ends when it takes none", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const streams = new EventStreams(1, 500);
      const response = streams.respond(async function* () {
        while (true) yield "data: a\n\n";
      });
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      for (let taken = 0; taken < 10; taken++) {
        expect((await reader.read()).done).toBe(false);
        // Until the next message is in the buffer.
        await setImmediate();
        vi.advanceTimersByTime(500);
        expect(streams.size).toBe(1);
      }
      vi.advanceTimersByTime(500);
      expect(streams.size).toBe(0);
      await expect(reader.read()).rejects.toThrow("its reader read nothing for 2 heartbeats");
    } finally {
      vi.useRealTimers();
    }
  });

  it("continues on a quiet stream whose reader takes every second heartbeat", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const streams = new EventStreams(1, 500);
      const response = streams.respond(async function* () {
        yield await new Promise<string>(() => {});
      });
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      for (let taken = 0; taken < 4; taken++) {
        expect((await reader.read()).done).toBe(false);
        vi.advanceTimersByTime(1_000);
        expect(streams.size).toBe(1);
      }
      streams.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it("delivers more than buffers hold", async () => {
    const chunk = `data: ${"x".repeat(65_536)}\n\n`;
    await using server = await serve(new EventStreams(), async function* () {
      for (let notified = 0; notified < 500; notified++) yield chunk;
    });
    await using stream = await StreamReader.open(server.url);
    await until(() => stream.end !== undefined, "it ends");
    expect([stream.end, stream.messages.length]).toEqual(["whole", 500]);
  });

  it("ends with its messages", async () => {
    await using server = await serve(new EventStreams(), async function* () {
      yield "data: last\n\n";
    });
    await using stream = await StreamReader.open(server.url);
    await until(() => stream.end === "whole", "it ends");
    expect(stream.messages).toEqual([{ id: "", data: "last" }]);
  });

  it("ends at once after close", async () => {
    const streams = new EventStreams();
    streams.close();
    await using server = await serve(streams, async function* () {
      yield "data: never\n\n";
    });
    await using stream = await StreamReader.open(server.url);
    await until(() => stream.end === "whole", "it ends");
    expect(stream.messages).toEqual([]);
  });
});
