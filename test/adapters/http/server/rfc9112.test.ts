import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminToken } from "../../../support/operator.ts";
import { type RawAnswer, sendRaw } from "../../../support/raw-http.ts";
import { bearer, startService, type TestService } from "../../../support/service.ts";
import { until } from "../../../support/until.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService("sources:\n  - { name: fixed, kind: static, features: { feature_1: true } }\n", {
    TIDEGATE_ADMIN_TOKEN: adminToken,
  });
});
afterAll(() => service[Symbol.asyncDispose]());

const body = '{"active_features":["feature_1"]}';
const close = "Connection: close";
const host = "Host: x";

/** Sends one request, lines and body. Resolves when the server closes the connection. */
const ask = (lines: readonly string[], content = ""): Promise<RawAnswer> =>
  sendRaw(service.url, `${lines.join("\r\n")}\r\n\r\n${content}`);

const codeIn = ({ body: text }: RawAnswer): string | undefined => /"code":"([a-z-]+)"/.exec(text)?.[1];

describe("RFC 9112, 3: request line", () => {
  it.each<[requirement: string, line: string, status: number, code?: string]>([
    ["3: an empty line before the request line is ignored", "\r\nGET /features HTTP/1.1", 200],
    ["3: white space in the target", "GET /fea tures HTTP/1.1", 400, "bad-request"],
    ["3: white space before the method", " GET /features HTTP/1.1", 400, "bad-request"],
    ["3: two spaces after the method may be read", "GET  /features HTTP/1.1", 200],
    ["3: no target", "GET HTTP/1.1", 400, "bad-request"],
    ["3: no version", "GET /features", 400, "bad-request"],
    ["3: an invalid version", "GET /features HTTP/x.y", 400, "bad-request"],
    ["3: another major version", "GET /features HTTP/2.0", 400, "bad-request"],
    ["3: a lower-case version", "GET /features http/1.1", 400, "bad-request"],
    ["3: a target of 7,000 characters is read", `GET /features?x=${"x".repeat(7_000)} HTTP/1.1`, 200],
    ["3: a target of 13,000 characters", `GET /features?x=${"x".repeat(13_000)} HTTP/1.1`, 414, "uri-too-long"],
    ["3.1: a method that is not implemented", "PROPFIND /features HTTP/1.1", 501, "not-implemented"],
    ["3.1: an unknown method", "FOO /features HTTP/1.1", 501, "not-implemented"],
    ["3.1: a long method", `${"M".repeat(100)} /features HTTP/1.1`, 501, "not-implemented"],
    ["3.1: a method is case-sensitive", "get /features HTTP/1.1", 501, "not-implemented"],
    ["3.1: a method that is no token", "G{T /features HTTP/1.1", 400, "bad-request"],
    ["3.2: a control character in the target", "GET /features?\x01 HTTP/1.1", 400, "bad-request"],
    ["3.2: a byte beyond ASCII in the target", "GET /features?\xff HTTP/1.1", 400, "bad-request"],
    ["3.2: a fragment", "GET /features#x HTTP/1.1", 400, "bad-request"],
    ["3.2.1: origin-form", "GET /features HTTP/1.1", 200],
    ["3.2.1: origin-form with a query", "GET /features?location=es HTTP/1.1", 200],
    ["3.2.2: absolute-form", "GET http://example.com/features HTTP/1.1", 200],
    ["3.2.2: absolute-form with a query", "GET http://example.com/features?location=es HTTP/1.1", 200],
    ["3.2.2: absolute-form with a port", "GET http://[::1]:8080/features HTTP/1.1", 200],
    ["3.2.2: absolute-form of https", "GET HTTPS://example.com/features HTTP/1.1", 200],
    ["3.2.2: absolute-form without a path", "GET http://example.com HTTP/1.1", 404, "not-found"],
    ["3.2.2: absolute-form with a query only", "GET http://example.com?x HTTP/1.1", 404, "not-found"],
    ["3.2.2: absolute-form with a bad path", "GET http://example.com/../features HTTP/1.1", 400, "bad-path"],
    ["3.2.2: absolute-form without a host", "GET http:///features HTTP/1.1", 400, "bad-request"],
    ["3.2.2: absolute-form with an invalid host", "GET http://a^b/features HTTP/1.1", 400, "bad-request"],
    ["3.2.2: absolute-form with user information", "GET http://u:p@x/features HTTP/1.1", 400, "bad-request"],
    ["3.2.2: absolute-form of another scheme", "GET ftp://example.com/features HTTP/1.1", 400, "bad-request"],
    ["3.2.3: authority-form outside CONNECT", "GET example.com:80 HTTP/1.1", 400, "bad-request"],
    ["3.2.3: CONNECT", "CONNECT example.com:80 HTTP/1.1", 501, "not-implemented"],
    ["3.2.4: asterisk-form outside OPTIONS", "GET * HTTP/1.1", 400, "bad-request"],
    ["3.2.4: asterisk-form", "OPTIONS * HTTP/1.1", 204],
    ["3.2.4: absolute-form of the asterisk", "OPTIONS http://example.com HTTP/1.1", 204],
  ])("%s", async (_, line, status, code) => {
    const answer = await ask([line, host, close]);
    expect([answer.status, codeIn(answer)]).toEqual([status, code]);
    if (status === 200) expect(answer.body).toBe(body);
  });

  it.each<[requirement: string, lines: readonly string[], status: number]>([
    ["HTTP/1.1 without a host", ["GET /features HTTP/1.1"], 400],
    ["absolute-form in HTTP/1.1 without a host", ["GET http://x/features HTTP/1.1"], 400],
    ["HTTP/1.0 without a host is read", ["GET /features HTTP/1.0"], 200],
    ["HTTP/1.0 with a host is read", ["GET /features HTTP/1.0", host], 200],
    ["an empty host is read", ["GET /features HTTP/1.1", "Host:"], 200],
    ["a host with a port is read", ["GET /features HTTP/1.1", "Host: [2001:db8::1]:80"], 200],
    ["two hosts", ["GET /features HTTP/1.1", host, "Host: y"], 400],
    ["two equal hosts", ["GET /features HTTP/1.1", host, host], 400],
    ["two hosts in HTTP/1.0", ["GET /features HTTP/1.0", host, "Host: y"], 400],
    ["two hosts in one line", ["GET /features HTTP/1.1", "Host: x, y z"], 400],
    ["an invalid host", ["GET /features HTTP/1.1", "Host: a b"], 400],
    ["a host with a path", ["GET /features HTTP/1.1", "Host: x/y"], 400],
    ["a host with user information", ["GET /features HTTP/1.1", "Host: u@x"], 400],
    ["a host with an invalid port", ["GET /features HTTP/1.1", "Host: x:http"], 400],
    ["a host with a bracket left open", ["GET /features HTTP/1.1", "Host: [::1"], 400],
    ["absolute-form with an invalid host", ["GET http://x/features HTTP/1.1", "Host: a b"], 400],
  ])("3.2: %s", async (_, lines, status) => {
    const answer = await ask([...lines, close]);
    expect([answer.status, codeIn(answer)]).toEqual([status, status === 400 ? "bad-request" : undefined]);
  });
});

/** Posts an event with these framing headers. 201 means that the body was read correctly. */
const event = JSON.stringify({ component: "c", data: {}, email: "a@example.com", environment: "test", message: "m" });
const post = (framing: readonly string[], content: string, version = "1.1") =>
  ask(
    [
      `POST /events HTTP/${version}`,
      host,
      close,
      `Authorization: Bearer ${adminToken}`,
      "Content-Type: application/json",
      ...framing,
    ],
    content,
  );
const chunks = `${event.length.toString(16)}\r\n${event}\r\n0\r\n\r\n`;

describe("RFC 9112, 6: message body", () => {
  it.each<[requirement: string, framing: readonly string[], content: string, status: number, code?: string]>([
    ["6.1: chunked is read", ["Transfer-Encoding: chunked"], chunks, 201],
    ["6.1: names of codings ignore case", ["Transfer-Encoding: Chunked"], chunks, 201],
    ["6.1: chunked twice", ["Transfer-Encoding: chunked, chunked"], chunks, 400, "bad-request"],
    [
      "6.1: chunked twice, in two lines",
      ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
      chunks,
      400,
      "bad-request",
    ],
    ["6.1: an unknown coding", ["Transfer-Encoding: gzip, chunked"], chunks, 501, "unsupported-transfer-coding"],
    [
      "6.1: an unknown coding, in two lines",
      ["Transfer-Encoding: gzip", "Transfer-Encoding: chunked"],
      chunks,
      501,
      "unsupported-transfer-coding",
    ],
    ["6.1: the obsolete coding identity", ["Transfer-Encoding: identity"], event, 400, "bad-request"],
    ["6.1: a coding that resembles chunked", ["Transfer-Encoding: xchunked"], chunks, 400, "bad-request"],
    ["6.1: chunked with a length", ["Transfer-Encoding: chunked", "Content-Length: 5"], chunks, 400, "bad-request"],
    ["6.2: a length is read", [`Content-Length: ${event.length}`], event, 201],
    ["6.2: a length beyond all numbers", [`Content-Length: ${"9".repeat(30)}`], event, 400, "bad-request"],
    ["6.2: a length beyond what is taken", ["Content-Length: 999999999"], event, 413, "payload-too-large"],
    ["6.3: chunked is not the last coding", ["Transfer-Encoding: chunked, gzip"], chunks, 400, "bad-request"],
    ["6.3: no chunked coding", ["Transfer-Encoding: gzip"], event, 400, "bad-request"],
    ["6.3: an empty coding", ["Transfer-Encoding:"], event, 400, "bad-request"],
    ["6.3: a length with a sign", [`Content-Length: +${event.length}`], event, 400, "bad-request"],
    ["6.3: a negative length", ["Content-Length: -1"], event, 400, "bad-request"],
    ["6.3: a length that is not a number", ["Content-Length: many"], event, 400, "bad-request"],
    ["6.3: a hexadecimal length", ["Content-Length: 0x10"], event, 400, "bad-request"],
    ["6.3: an empty length", ["Content-Length:"], event, 400, "bad-request"],
    ["6.3: two lengths", ["Content-Length: 1", "Content-Length: 2"], event, 400, "bad-request"],
    ["6.3: two lengths in one line", ["Content-Length: 1, 2"], event, 400, "bad-request"],
    ["6.3: neither coding nor length is an empty body", [], "", 400, "invalid-json"],
  ])("%s", async (_, framing, content, status, code) => {
    const answer = await post(framing, content);
    expect([answer.status, codeIn(answer)]).toEqual([status, code]);
    expect(answer.body).not.toMatch(/HTTP\/1\.1 \d/);
  });

  it("6: a request has one response, also if its body turns out to be invalid after it", async () => {
    const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
    let text = "";
    socket.setEncoding("latin1").on("data", (chunk) => {
      text += chunk;
    });
    socket.write(`GET /features HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    await until(() => text.includes(body), "it is answered");
    socket.write("zz\r\n");
    await once(socket, "close");
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200"]);
  });

  it("6.1: a coding in HTTP/1.0 is invalid", async () => {
    const answer = await post(["Transfer-Encoding: chunked"], chunks, "1.0");
    expect([answer.status, codeIn(answer)]).toEqual([400, "bad-request"]);
  });

  it.each(["GET /docs", "GET /events/export", "GET /metrics"])(
    "6.1: %s answers HTTP/1.0 without a transfer coding",
    async (request) => {
      const answer = await ask([`${request} HTTP/1.0`, `Authorization: Bearer ${adminToken}`]);
      expect(answer.status).toBe(200);
      expect(answer.head).not.toMatch(/transfer-encoding/i);
    },
  );

  it("6.1, 6.2: a 204 response has neither coding nor length", async () => {
    const { status, head } = await ask(["OPTIONS /features HTTP/1.1", host, close]);
    expect(status).toBe(204);
    expect(head).not.toMatch(/transfer-encoding|content-length/i);
  });

  it("6.3: a response to HEAD has the length of that to GET, and no body", async () => {
    const { head, body: content } = await ask(["HEAD /features HTTP/1.1", host, close]);
    expect(head).toMatch(new RegExp(`content-length: ${body.length}\\b`, "i"));
    expect(content).toBe("");
  });

  it("6.3: a request with an incomplete body is invalid", async () => {
    const cut = new Promise<void>((resolve, reject) => {
      const socket = connect(Number(new URL(service.url).port), "127.0.0.1", () => {
        socket.end(
          `POST /events HTTP/1.1\r\n${host}\r\nAuthorization: Bearer ${adminToken}\r\nContent-Type: application/json\r\nContent-Length: ${event.length + 1}\r\n\r\n${event}`,
        );
      });
      socket.resume().on("close", () => resolve());
      socket.on("error", reject);
    });
    const count = async () =>
      ((await (await service.get("/events?component=c", bearer(adminToken))).json()) as { events: unknown[] }).events
        .length;
    const before = await count();
    await cut;
    expect(await count()).toBe(before);
  });

  it("6.3: the bytes after a request without a body are the next request", async () => {
    const both = await ask(["GET /features HTTP/1.1", host, "", "GET /health HTTP/1.1", host, close]);
    expect(`${both.head}\r\n\r\n${both.body}`.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });

  it("6.3: nothing is read after invalid framing", async () => {
    const smuggled = await ask(
      ["GET /features HTTP/1.1", host, "Transfer-Encoding: gzip, chunked"],
      `0\r\n\r\nGET /features HTTP/1.1\r\n${host}\r\n${close}\r\n\r\n`,
    );
    expect(`${smuggled.head}\r\n\r\n${smuggled.body}`.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });
});

describe("a credential in the query", () => {
  it.each(["token", "access_token", "api_key", "apiKey", "API-Key", "password", "authorization", "%74oken", "secret"])(
    "is rejected: %s",
    async (name) => {
      const answer = await service.get(`/features?location=es&${name}=1234`);
      const text = await answer.text();
      expect([answer.status, JSON.parse(text).code]).toEqual([400, "credential-in-query"]);
      expect(text).toContain("Authorization: Bearer");
      expect(text).not.toContain("1234");
    },
  );

  it("is rejected on every route", async () => {
    for (const path of ["/search", "/events", "/admin/v1/features", "/health"]) {
      expect((await service.get(`${path}?token=1234`)).status).toBe(400);
    }
  });
});
