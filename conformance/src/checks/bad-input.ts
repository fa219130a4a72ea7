import { gzipSync } from "node:zlib";
import { type Check, expectThat } from "../check.ts";
import { faultIn, schemas } from "../schema.ts";
import { type Answer, excerpt, type Flag, jsonOf, missingKey, type Server } from "../server.ts";

const source = "OFREP 0.3.0, response 400";
const robustness = "a client's mistake is not a server error (RFC 9110, section 15.5)";

/** Sends a body to both routes. */
const toBoth = async (
  server: Server,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<readonly Answer[]> => [await server.bulk(body, headers), await server.single(missingKey, body, headers)];

function expectStatus(answers: readonly Answer[], expected: readonly number[], what: string): void {
  for (const { status, text } of answers) {
    expectThat(expected.includes(status), `${what}: expected ${expected.join(" or ")}, got ${status} ${excerpt(text)}`);
  }
}

function expectNoServerError(answers: readonly Answer[], what: string): void {
  for (const { status, text } of answers) {
    expectThat(status < 500, `${what}: expected no server error, got ${status} ${excerpt(text)}`);
  }
}

const contexts = ["7", "[]", "null", '"x"'];

/** Checks of requests that a server must reject, or at least survive. */
export const badInputChecks: readonly Check[] = [
  {
    id: "bad-json",
    level: "must",
    rule: "A body that is not JSON is 400.",
    source,
    run: async (server) => expectStatus(await toBoth(server, "{"), [400], "body {"),
  },
  {
    id: "bad-body",
    level: "must",
    rule: "A body that is not an object is 400.",
    source,
    run: async (server) => {
      for (const body of ["[]", "null", '"x"', "7", ""]) {
        expectStatus(await toBoth(server, body), [400], `body ${body || "(empty)"}`);
      }
    },
  },
  {
    id: "bad-context",
    level: "must",
    rule: "A context that is not an object is 400.",
    source,
    run: async (server) => {
      for (const context of contexts) {
        expectStatus(await toBoth(server, `{"context":${context}}`), [400], `context ${context}`);
      }
    },
  },
  {
    id: "bad-error-body",
    level: "must",
    rule: "A 400 has an error code, and the key if it concerns one flag.",
    source: "@openfeature/ofrep-core reports any other body as an unexpected format",
    run: async (server) => {
      const [bulk, single] = (await toBoth(server, "{")) as [Answer, Answer];
      const fault = faultIn(schemas.bulkFailure, jsonOf(bulk));
      expectThat(fault === undefined, `bulk: ${fault}: ${excerpt(bulk.text)}`);
      const another = faultIn(schemas.failure, jsonOf(single));
      expectThat(another === undefined, `single: ${another}: ${excerpt(single.text)}`);
    },
  },
  {
    id: "bad-error-code",
    level: "should",
    rule: "A body that is not JSON has the error code PARSE_ERROR.",
    source: "OpenFeature, error codes",
    run: async (server) => {
      for (const answer of await toBoth(server, "{")) {
        const code = (jsonOf(answer) as Flag | undefined)?.["errorCode"];
        const isFine = code === undefined || code === "PARSE_ERROR";
        expectThat(isFine, `expected PARSE_ERROR, got ${JSON.stringify(code)}`);
      }
    },
  },
  {
    id: "large-body",
    level: "must",
    rule: "A body of 10 MB causes no server error, and the next request works.",
    source: robustness,
    run: async (server) => {
      const body = JSON.stringify({ context: { targetingKey: "a", note: "x".repeat(10_000_000) } });
      const answer = await server.bulk(body).catch(() => undefined);
      if (answer) expectNoServerError([answer], "10 MB");
      await server.evaluateAll();
    },
  },
  {
    id: "compressed-body",
    level: "must",
    rule: "A body with Content-Encoding: gzip causes no server error.",
    source: robustness,
    run: async (server) => {
      const body = gzipSync(JSON.stringify({ context: server.options.context }));
      expectNoServerError(await toBoth(server, body, { "Content-Encoding": "gzip" }), "gzip");
    },
  },
  {
    id: "deep-body",
    level: "must",
    rule: "A context of depth 10,000 causes no server error.",
    source: robustness,
    run: async (server) => {
      const deep = `{"context":{"targetingKey":"a","deep":${"[".repeat(10_000)}${"]".repeat(10_000)}}}`;
      expectNoServerError(await toBoth(server, deep), "depth 10,000");
    },
  },
  {
    id: "request-content-type",
    level: "must",
    rule: "A body of another content type causes no server error.",
    source: robustness,
    run: async (server) => {
      const body = JSON.stringify({ context: server.options.context });
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "nonsense"]) {
        expectNoServerError(await toBoth(server, body, { "Content-Type": type }), type);
      }
    },
  },
  {
    id: "prototype-attribute",
    level: "must",
    rule: "An attribute named __proto__ or constructor causes no server error.",
    source: robustness,
    run: async (server) => {
      const body = '{"context":{"targetingKey":"a","__proto__":{"on":true},"constructor":{"prototype":1}}}';
      expectNoServerError(await toBoth(server, body), "__proto__");
    },
  },
  {
    id: "targeting-key-number",
    level: "should",
    rule: "A targeting key that is a number is 400.",
    source: "OFREP 0.3.0, schema context",
    run: async (server) =>
      expectStatus([await server.bulk('{"context":{"targetingKey":7}}')], [400], "targeting key 7"),
  },
  {
    id: "targeting-key-odd",
    level: "must",
    rule: "An empty targeting key, or one of 1 MB, causes no server error.",
    source: robustness,
    run: async (server) => {
      for (const targetingKey of ["", "x".repeat(1_000_000)]) {
        const answer = await server.bulk(JSON.stringify({ context: { targetingKey } }));
        expectNoServerError([answer], `targeting key of ${targetingKey.length} characters`);
      }
    },
  },
  {
    id: "wrong-method",
    level: "must",
    rule: "GET on the bulk route is 404 or 405.",
    source: "RFC 9110, section 15.5.6",
    run: async (server) => expectStatus([await server.send(server.bulkPath, { method: "GET" })], [404, 405], "GET"),
  },
  {
    id: "retry-after",
    level: "must",
    rule: "Retry-After is an integer of at least 1.",
    source: "@openfeature/ofrep-core reads 0 as a past date, and a date as its year in seconds",
    run: async ({ answers }) => {
      for (const { status, headers } of answers) {
        const after = headers["retry-after"];
        if (after === undefined) continue;
        expectThat(/^[1-9]\d*$/.test(after), `a ${status} has Retry-After: ${after}`);
      }
    },
  },
];
