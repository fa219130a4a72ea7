import type { RequestListener } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type DocumentLocation,
  FetchFailed,
  fetchDocument,
} from "../../../../src/adapters/sources/_polled/fetch-document.ts";
import { Reachable } from "../../../../src/adapters/sources/_polled/reachable.ts";
import { gzipBomb } from "../../../support/bombs.ts";
import { document, type FeedServer, startFeedServer } from "../../../support/feed-server.ts";

const never = new AbortController().signal;
const until = (url: string, changes: Partial<DocumentLocation> = {}): DocumentLocation => ({
  url: new URL(url),
  headers: {},
  reachable: new Reachable(["127.0.0.1"]),
  timeoutMs: 5_000,
  maxBytes: 1_000_000,
  ...changes,
});

describe("fetching a document", () => {
  let feedServer: FeedServer;
  let elsewhere: FeedServer;
  beforeAll(async () => {
    feedServer = await startFeedServer(document("{}", "application/json"));
    elsewhere = await startFeedServer(document("secret", "text/plain"));
  });
  beforeEach(() => {
    feedServer.answer = document("{}", "application/json");
  });
  afterAll(async () => {
    await feedServer[Symbol.asyncDispose]();
    await elsewhere[Symbol.asyncDispose]();
  });

  const fetched = (changes: Partial<DocumentLocation> = {}) =>
    fetchDocument(until(feedServer.url, changes), null, never);
  const failure = async (changes: Partial<DocumentLocation> = {}): Promise<FetchFailed> => {
    const error = await fetched(changes).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    if (!(error instanceof FetchFailed)) throw error ?? new Error("it did not fail");
    return error;
  };
  const text = async () => Buffer.concat((await fetched())?.chunks ?? []).toString();

  it("returns the body, the type and the validators", async () => {
    feedServer.answer = document("{}", "application/json", { ETag: '"1"', "Last-Modified": "yesterday" });
    expect(await fetched()).toMatchObject({ contentType: "application/json", etag: '"1"', lastModified: "yesterday" });
    expect(await text()).toBe("{}");
  });

  it("decompresses the body, and sends its headers", async () => {
    feedServer.answer = (request, response) => {
      response.writeHead(200, { "Content-Encoding": "gzip" }).end(gzipSync(JSON.stringify(request.headers)));
    };
    const chunks = (await fetched({ headers: { "X-Key": "secret" } }))?.chunks ?? [];
    expect(JSON.parse(Buffer.concat(chunks).toString())).toMatchObject({
      "accept-encoding": "gzip",
      "x-key": "secret",
      "user-agent": "tidegate",
    });
  });

  it("accepts 304 only in response to validators", async () => {
    feedServer.answer = (_, response) => void response.writeHead(304).end();
    expect((await failure()).message).toMatch(/responds 304/);
    const known = { of: "", etag: '"1"', lastModified: null };
    expect(await fetchDocument(until(feedServer.url), known, never)).toBeUndefined();
    expect(feedServer.requests.at(-1)?.headers["if-none-match"]).toBe('"1"');
  });

  it.each<[string, RequestListener, RegExp, boolean]>([
    ["responds 500", (_, response) => void response.writeHead(500).end(), /127\.0\.0\.1 responds 500/, true],
    ["responds 429", (_, response) => void response.writeHead(429).end(), /responds 429/, true],
    ["responds 404", (_, response) => void response.writeHead(404).end(), /responds 404/, false],
    [
      "closes at once",
      (request) => void request.socket.destroy(),
      /cannot be reached: (ECONNRESET|socket hang up)/,
      true,
    ],
    [
      "sends half a body",
      (_, response) =>
        void response.writeHead(200, { "Content-Length": "100" }).write("half", () => response.destroy()),
      /closed before the end/,
      true,
    ],
    [
      "sends half a chunk",
      (_, response) => void response.writeHead(200).write("half", () => response.destroy()),
      /closed before the end/,
      true,
    ],
    [
      "sends half a gzip",
      (_, response) =>
        void response.writeHead(200, { "Content-Encoding": "gzip" }).end(gzipSync("x".repeat(1_000)).subarray(0, 20)),
      /cannot be reached: Z_BUF_ERROR/,
      true,
    ],
    ["sends no gzip", document("x", "text/plain", { "Content-Encoding": "gzip" }), /Z_(DATA|BUF)_ERROR/, true],
    ["sends another encoding", document("x", "text/plain", { "Content-Encoding": "br" }), /not requested/, false],
    [
      "sends 3,000 headers",
      (_, response) => {
        for (let index = 0; index < 3_000; index++) response.setHeader(`x-${index}`, "x");
        response.end();
      },
      /headers have more than 16384 bytes/,
      true,
    ],
    ["sends too much", document("x".repeat(1_000_001), "text/plain"), /more than 1000000 bytes/, false],
  ])("fails if the server %s", async (_, answer, message, mayPass) => {
    feedServer.answer = answer;
    const error = await failure();
    expect([error.message, error.mayPass]).toEqual([expect.stringMatching(message), mayPass]);
  });

  it("aborts at the time limit, without a response or with a slow body", async () => {
    feedServer.answer = () => {};
    expect(await failure({ timeoutMs: 200 })).toMatchObject({ message: "127.0.0.1 did not respond within 200 ms" });
    feedServer.answer = (_, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(drip));
    };
    expect((await failure({ timeoutMs: 200 })).message).toMatch(/within 200 ms/);
  });

  it("ends at once when aborted", async () => {
    feedServer.answer = (_, response) => void response.writeHead(200).write("x");
    const ending = new AbortController();
    setTimeout(() => ending.abort(new Error("over")), 50);
    await expect(fetchDocument(until(feedServer.url), null, ending.signal)).rejects.toThrow("over");
  });

  it("stops reading a gzip bomb of 300 MB at the size limit", async () => {
    const bomb = gzipBomb(300);
    feedServer.answer = document(bomb, "application/json", { "Content-Encoding": "gzip" });
    const before = process.memoryUsage().arrayBuffers;
    expect((await failure()).message).toMatch(/more than 1000000 bytes/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
  });

  it.each([301, 302, 303, 307, 308])("follows no redirect: %i", async (status) => {
    feedServer.answer = (_, response) => void response.writeHead(status, { Location: elsewhere.url }).end();
    expect((await failure()).message).toMatch(/redirects are not followed/);
    expect(elsewhere.requests).toHaveLength(0);
  });

  it("connects to no forbidden address, under any name", async () => {
    const port = new URL(elsewhere.url).port;
    for (const host of [
      "127.0.0.1",
      "127.1",
      "2130706433",
      "0x7f000001",
      "[::ffff:7f00:1]",
      "localhost",
      "localhost.",
    ]) {
      for (const protocol of ["http", "https"]) {
        const url = new URL(`${protocol}://${host}:${port}/`);
        const error = await failure({
          url,
          reachable: new Reachable(protocol === "http" ? [url.hostname === "localhost" ? "" : "192.0.2.1"] : []),
        });
        expect(error.message, url.href).toMatch(/not encrypted|not a public address|not public|ENOTFOUND/);
      }
    }
    expect(elsewhere.requests).toHaveLength(0);
  });

  it("reports only the host of a URL, and no header", async () => {
    feedServer.answer = (_, response) => void response.writeHead(500).end("secret");
    const error = await failure({ url: new URL(`${feedServer.url}?key=secret`), headers: { "X-Key": "secret" } });
    expect(error.message).toBe("127.0.0.1 responds 500");
    const refused = await failure({ url: new URL("http://127.0.0.1:1/?key=secret"), headers: { "X-Key": "secret" } });
    expect(refused.message).toBe("127.0.0.1 cannot be reached: ECONNREFUSED");
    const withPassword = await failure({ url: new URL("https://user:secret@127.0.0.1/") });
    expect(withPassword.message).not.toContain("secret");
  });
});

describe("Reachable", () => {
  it.each([
    ["8.8.8.8", true],
    ["2606:4700:4700::1111", true],
    ["::ffff:8.8.8.8", true],
    ["64:ff9b::8.8.8.8", true],
    ["127.0.0.1", false],
    ["127.255.0.1", false],
    ["10.1.2.3", false],
    ["100.64.0.1", false],
    ["169.254.169.254", false],
    ["172.31.0.1", false],
    ["172.32.0.1", true],
    ["192.168.0.1", false],
    ["0.0.0.0", false],
    ["224.0.0.1", false],
    ["255.255.255.255", false],
    ["::1", false],
    ["::", false],
    ["::ffff:127.0.0.1", false],
    ["::ffff:a9fe:a9fe", false],
    ["64:ff9b::7f00:1", false],
    ["64:ff9b::10.0.0.1", false],
    ["64:ff9b:1::1", false],
    ["2002:7f00:1::", false],
    ["::127.0.0.1", false],
    ["fd00::1", false],
    ["fe80::1", false],
    ["ff02::1", false],
  ])("classifies %s as public: %s", (address, isOpen) => {
    expect(new Reachable([]).isOpen(address)).toBe(isOpen);
  });

  it("allows configured addresses, networks and names", () => {
    expect(new Reachable(["10.0.0.0/8"]).isOpen("10.9.9.9")).toBe(true);
    expect(new Reachable(["10.0.0.0/8"]).isOpen("::ffff:10.9.9.9")).toBe(true);
    expect(new Reachable(["10.0.0.0/8"]).isOpen("11.0.0.1")).toBe(true);
    expect(new Reachable(["10.0.0.0/8"]).isOpen("127.0.0.1")).toBe(false);
    expect(new Reachable(["::1"]).isOpen("::1")).toBe(true);
    expect(new Reachable(["partner.local"]).faultOf(new URL("http://Partner.local/"))).toBeUndefined();
  });
});
