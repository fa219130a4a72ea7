import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import type { OnPolled, PolledDocument } from "../../../../src/adapters/sources/_polled/latest.ts";
import { pollFile } from "../../../../src/adapters/sources/_polled/polled-file.ts";
import { pollUrl } from "../../../../src/adapters/sources/_polled/polled-url.ts";
import {
  type DocumentServer,
  respondWith,
  respondWithStatus,
  startDocumentServer,
} from "../../../support/document-server.ts";
import { until } from "../../../support/until.ts";

const parse = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new Error(`"${text.slice(0, 20)}" is no number`);
  return Number(text);
};

const becomes = (followed: PolledDocument<number>, value: number) =>
  until(() => followed.read().value === value && followed.read().isCurrent(Date.now()), `it is ${value}`);

describe("a polled file", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-followed-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  let files = 0;
  const fileWith = (text?: string): string => {
    files += 1;
    const file = join(folder, `${files}`);
    if (text !== undefined) writeFileSync(file, text);
    return file;
  };

  it("is read before the first call", async () => {
    await using followed = pollFile(fileWith("1"), parse, () => {});
    const cached = followed.read();
    expect([cached.value, cached.lastError, cached.isCurrent(0), cached.verifiedAt(7)]).toEqual([
      1,
      undefined,
      true,
      7,
    ]);
  });

  it("is read again after a change", async () => {
    const file = fileWith("1");
    await using followed = pollFile(file, parse, () => {});
    const before = followed.read();
    writeFileSync(file, "2");
    await becomes(followed, 2);
    expect(before.isCurrent(Date.now())).toBe(false);
    await until(() => before.verifiedAt(5_000) < 5_000, "it grows older");
  });

  it("is read again after a replacement by rename", async () => {
    const file = fileWith("1");
    await using followed = pollFile(file, parse, () => {});
    const other = fileWith("2");
    renameSync(other, file);
    await becomes(followed, 2);
  });

  it.each([
    ["is broken", (file: string) => writeFileSync(file, "broken"), /"broken" is no number/],
    ["is gone", (file: string) => rmSync(file), /ENOENT/],
    [
      "is a folder",
      (file: string) => {
        rmSync(file);
        mkdirSync(file);
      },
      /is not a regular file/,
    ],
    ["is too large", (file: string) => writeFileSync(file, "1".repeat(10 * 1024 * 1024 + 1)), /larger than 10485760/],
  ])("keeps its last value while the file %s, warns once, and recovers", async (_, harm, fault) => {
    const file = fileWith("1");
    const warnings: (string | undefined)[] = [];
    await using followed = pollFile(file, parse, (warning) => warnings.push(warning));
    harm(file);
    await until(() => !followed.read().isCurrent(Date.now()), "the fault is noticed");
    const cached = followed.read();
    expect(cached.value).toBe(1);
    expect(cached.lastError).toMatchObject({ message: expect.stringMatching(fault) });
    await until(() => cached.verifiedAt(5_000) < 5_000, "it grows older");
    expect(warnings).toEqual([expect.stringMatching(fault)]);
    rmSync(file, { recursive: true, force: true });
    writeFileSync(file, "3");
    await becomes(followed, 3);
    expect(followed.read().lastError).toBeUndefined();
    expect(warnings.at(-1)).toBeUndefined();
  });

  it("rejects until there is a valid file", async () => {
    const file = fileWith();
    await using followed = pollFile(file, parse, () => {});
    expect(() => followed.read()).toThrow(/ENOENT/);
    writeFileSync(file, "4");
    await until(() => {
      try {
        return followed.read().value === 4;
      } catch {
        return false;
      }
    }, "the file is found");
  });

  it("is not read during a write", async () => {
    const file = fileWith("1");
    const seen = new Set<number>();
    await using followed = pollFile(
      file,
      (text) => Number(text),
      () => {},
    );
    // Each piece would be valid, but more follows within the time for which a file must stay unchanged.
    const began = Date.now();
    let written = 1;
    await until(() => {
      const due = Math.min(15, Math.floor((Date.now() - began) / 50));
      if (due > written) writeFileSync(file, "2".repeat(due));
      written = Math.max(due, written);
      seen.add(followed.read().value);
      return written >= 15;
    }, "all is written");
    await until(() => followed.read().value > 1, "it is read");
    expect(String(followed.read().value)).toHaveLength(written);
    expect([...seen]).toEqual([1]);
  });
});

describe("a polled URL", () => {
  const open = (server: DocumentServer, warn: OnPolled = () => {}) =>
    pollUrl({ url: `${server.url}/flags?a=b`, headers: { Authorization: "s3cret" }, everyMs: 20 }, parse, warn);
  const isFound = (followed: PolledDocument<number>) =>
    until(() => {
      try {
        return followed.read() !== undefined;
      } catch {
        return false;
      }
    }, "it was read once");

  it("is polled with its headers and validators", async () => {
    await using server = await startDocumentServer(respondWith("1", '"one"'));
    await using followed = open(server);
    await isFound(followed);
    const cached = followed.read();
    await until(() => server.requests.length > 3, "it is polled again");
    expect(server.requests[0]).toMatchObject({ target: "/flags?a=b", authorization: "s3cret" });
    expect(server.requests[0]).not.toHaveProperty("if-none-match");
    expect(server.requests[2]).toMatchObject({ "if-none-match": '"one"' });
    expect(followed.read()).toBe(cached);
    server.answer = respondWith("2", '"two"');
    await becomes(followed, 2);
    expect(cached.isCurrent(Date.now())).toBe(false);
  });

  it("keeps its value while the content is equal, even without validators", async () => {
    await using server = await startDocumentServer(respondWith("1"));
    await using followed = open(server);
    await isFound(followed);
    const cached = followed.read();
    const polled = server.requests.length;
    await until(() => server.requests.length > polled + 3, "it is polled again");
    expect(cached.isCurrent(Date.now())).toBe(true);
    expect(followed.read()).toBe(cached);
  });

  it.each<[string, DocumentServer["answer"], RegExp]>([
    ["refuses", respondWithStatus(401), /127.0.0.1 responds 401/],
    ["fails", respondWithStatus(503), /responds 503/],
    ["sends garbage", respondWith("<html>"), /"<html>" is no number/],
    ["sends invalid UTF-8", (response) => void response.end(Buffer.from([0xff, 0xfe])), /it is not UTF-8/],
    [
      "sends elsewhere",
      (response) => void response.writeHead(302, { Location: "/other" }).end(),
      /responds 302, and redirects are not followed/,
    ],
    ["hangs up", (response) => void response.destroy(), /cannot be reached: ECONNRESET/],
    [
      "sends too much, packed",
      (response) => void response.writeHead(200, { "Content-Encoding": "gzip" }).end(gzipSync("1".repeat(20_000_000))),
      /more than 10485760 bytes/,
    ],
    ["claims that nothing has changed since never", respondWithStatus(304), /responds 304/],
  ])("keeps its last value while the server %s, warns once, and recovers", async (_, answer, fault) => {
    await using server = await startDocumentServer(respondWith("1"));
    const warnings: (string | undefined)[] = [];
    await using followed = open(server, (warning) => warnings.push(warning));
    await isFound(followed);
    server.answer = answer;
    await until(() => !followed.read().isCurrent(Date.now()), "the fault is noticed");
    const polled = server.requests.length;
    await until(() => server.requests.length > polled + 2, "it is polled again");
    expect(followed.read().value).toBe(1);
    expect(followed.read().lastError).toMatchObject({ message: expect.stringMatching(fault) });
    expect(warnings).toEqual([expect.stringMatching(fault)]);
    expect(warnings[0]).not.toContain("s3cret");
    server.answer = respondWith("1");
    await becomes(followed, 1);
    expect(followed.read().lastError).toBeUndefined();
    expect(warnings.at(-1)).toBeUndefined();
  });

  it("rejects until the server has responded", async () => {
    await using server = await startDocumentServer(respondWithStatus(500));
    await using followed = open(server);
    expect(() => followed.read()).toThrow(/no valid content has been read yet/);
    await until(() => server.requests.length > 2, "it is polled");
    expect(() => followed.read()).toThrow(/responds 500/);
    server.answer = respondWith("5");
    await isFound(followed);
    expect(followed.read().value).toBe(5);
  });

  it("is not polled after disposal, even during a slow response", async () => {
    await using server = await startDocumentServer(() => {});
    const followed = open(server);
    await until(() => server.requests.length === 1, "it is polled");
    await followed[Symbol.asyncDispose]();
    expect(server.requests).toHaveLength(1);
  });
});
