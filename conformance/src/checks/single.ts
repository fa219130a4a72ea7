import { type Check, expectThat } from "../check.ts";
import { faultIn, schemas } from "../schema.ts";
import { excerpt, type Flag, jsonOf, missingKey, type Server } from "../server.ts";

const source = "OFREP 0.3.0, POST /ofrep/v1/evaluate/flags/{key}";
const contextOf = ({ options: { context } }: Server): string => JSON.stringify({ context });

/** Evaluates the first flag that the bulk route evaluates. */
async function evaluateFirst(server: Server) {
  const { bulk } = await server.evaluateAll();
  const first = bulk.flags.find(({ errorCode }) => errorCode === undefined);
  expectThat(typeof first?.key === "string", "expected at least one evaluated flag in the bulk response");
  return { key: first.key, answer: await server.single(first.key, contextOf(server)) };
}

/** Checks of the evaluation of one flag. */
export const singleChecks: readonly Check[] = [
  {
    id: "single-success",
    level: "must",
    rule: "A flag evaluates to 200 with key and reason.",
    source,
    run: async (server) => {
      const { answer } = await evaluateFirst(server);
      expectThat(answer.status === 200, `expected 200, got ${answer.status}`);
      const fault = faultIn(schemas.success, jsonOf(answer));
      expectThat(fault === undefined, `${fault}: ${excerpt(answer.text)}`);
    },
  },
  {
    id: "single-content-type",
    level: "must",
    rule: "The response of a single evaluation is application/json.",
    source: "@openfeature/ofrep-core rejects a 200 of another type",
    run: async (server) => {
      const { answer } = await evaluateFirst(server);
      const type = answer.headers["content-type"] ?? "none";
      expectThat(/^application\/json\b/.test(type), `expected application/json, got ${type}`);
    },
  },
  {
    id: "single-key",
    level: "must",
    rule: "The response of a single evaluation repeats the key.",
    source,
    run: async (server) => {
      const { key, answer } = await evaluateFirst(server);
      const got = (jsonOf(answer) as Flag | undefined)?.key;
      expectThat(got === key, `expected key ${JSON.stringify(key)}, got ${JSON.stringify(got)}`);
    },
  },
  {
    id: "single-unknown-flag",
    level: "must",
    rule: "An unknown flag is 404 with the error code FLAG_NOT_FOUND.",
    source,
    run: async (server) => {
      const answer = await server.single(missingKey, contextOf(server));
      expectThat(answer.status === 404, `expected 404, got ${answer.status}`);
      const code = (jsonOf(answer) as Flag | undefined)?.["errorCode"];
      expectThat(code === "FLAG_NOT_FOUND", `expected FLAG_NOT_FOUND, got ${JSON.stringify(code)}`);
    },
  },
  {
    id: "single-key-decoding",
    level: "must",
    rule: "The key in the path is percent-decoded exactly once.",
    source: "@openfeature/ofrep-core 2.2.1 and later encode the key",
    run: async (server) => {
      const key = `${missingKey}/a b%2Fc`;
      const answer = await server.single(key, contextOf(server));
      const got = (jsonOf(answer) as Flag | undefined)?.key;
      expectThat(got === key, `expected key ${JSON.stringify(key)}, got ${answer.status} ${JSON.stringify(got)}`);
    },
  },
  {
    id: "single-prototype-key",
    level: "must",
    rule: "A key such as __proto__ or constructor is an unknown flag.",
    source,
    run: async (server) => {
      for (const key of ["__proto__", "constructor", "toString"]) {
        const { status } = await server.single(key, contextOf(server));
        expectThat(status === 404, `expected 404 for ${key}, got ${status}`);
      }
    },
  },
];
