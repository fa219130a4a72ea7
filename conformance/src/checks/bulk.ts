import { isDeepStrictEqual } from "node:util";
import { type Check, expectThat } from "../check.ts";
import { faultIn, schemas } from "../schema.ts";
import { excerpt, type Flag, jsonOf } from "../server.ts";

const source = "OFREP 0.3.0, POST /ofrep/v1/evaluate/flags";
/** The most flags that are evaluated one by one. */
const maxCompared = 50;

/** Checks of the evaluation of all flags. */
export const bulkChecks: readonly Check[] = [
  {
    id: "bulk-success",
    level: "must",
    rule: "All flags evaluate to 200 with a list of successes and failures.",
    source,
    run: async (server) => {
      const { answer } = await server.evaluateAll();
      const fault = faultIn(schemas.bulk, jsonOf(answer));
      expectThat(fault === undefined, `${fault}: ${excerpt(answer.text)}`);
    },
  },
  {
    id: "bulk-content-type",
    level: "must",
    rule: "The response of a bulk evaluation is application/json.",
    source: "@openfeature/ofrep-core rejects a 200 of another type",
    run: async (server) => {
      const { answer } = await server.evaluateAll();
      const type = answer.headers["content-type"] ?? "none";
      expectThat(/^application\/json\b/.test(type), `expected application/json, got ${type}`);
    },
  },
  {
    id: "bulk-unique-keys",
    level: "must",
    rule: "A bulk response lists each flag once.",
    source: "@openfeature/ofrep-web-provider keeps flags by key",
    run: async (server) => {
      const { bulk } = await server.evaluateAll();
      const keys = bulk.flags.map(({ key }) => key);
      const twice = keys.find((key, index) => keys.indexOf(key) !== index);
      expectThat(twice === undefined, `${JSON.stringify(twice)} is listed twice`);
    },
  },
  {
    id: "bulk-agrees-with-single",
    level: "must",
    rule: "A flag has the same value and variant in both routes.",
    source: "OFREP 0.3.0, ADR 0002 (two routes, one evaluation)",
    run: async (server) => {
      const { bulk } = await server.evaluateAll();
      for (const flag of bulk.flags.filter(({ errorCode }) => errorCode === undefined).slice(0, maxCompared)) {
        const answer = await server.single(`${flag.key}`, JSON.stringify({ context: server.options.context }));
        const alone = jsonOf(answer) as Flag | undefined;
        const isSame =
          alone !== undefined && ["value", "variant"].every((name) => isDeepStrictEqual(alone[name], flag[name]));
        expectThat(isSame, `${flag.key}: bulk ${excerpt(JSON.stringify(flag))}, single ${excerpt(answer.text)}`);
      }
    },
  },
  {
    id: "bulk-refetch-query",
    level: "must",
    rule: "The query parameters of a refetch after an event are accepted.",
    source: "OFREP 0.3.0, ADR 0008 (flagConfigEtag, flagConfigLastModified)",
    run: async (server) => {
      const body = JSON.stringify({ context: server.options.context });
      const { status } = await server.bulk(body, {}, "?flagConfigEtag=abc&flagConfigLastModified=1771622898");
      expectThat(status === 200, `expected 200, got ${status}`);
    },
  },
  {
    id: "bulk-empty-context",
    level: "must",
    rule: "An empty context is evaluated, or rejected with TARGETING_KEY_MISSING.",
    source: "OFREP 0.3.0; OpenFeature makes the targeting key optional",
    run: async (server) => {
      const answer = await server.bulk('{"context":{}}');
      const code = (jsonOf(answer) as Flag | undefined)?.["errorCode"];
      const isFine = answer.status === 200 || (answer.status === 400 && code === "TARGETING_KEY_MISSING");
      expectThat(isFine, `expected 200 or 400 TARGETING_KEY_MISSING, got ${answer.status} ${JSON.stringify(code)}`);
    },
  },
  {
    id: "value-not-null",
    level: "must",
    rule: "A flag without a value omits `value`.",
    source: "OFREP 0.3.0, ADR 0006; the clients report a type mismatch for null",
    run: async (server) => {
      const { bulk } = await server.evaluateAll();
      const found = bulk.flags.find(({ value }) => value === null);
      expectThat(found === undefined, `${found?.key} has the value null`);
    },
  },
  {
    id: "metadata-scalars",
    level: "must",
    rule: "Metadata is an object of booleans, strings and numbers, or absent.",
    source: "OFREP 0.3.0, schema metadata",
    run: async (server) => {
      const { bulk } = await server.evaluateAll();
      for (const item of [bulk as unknown as Flag, ...bulk.flags]) {
        if (!("metadata" in item)) continue;
        const fault = faultIn(schemas.metadata, item["metadata"]);
        expectThat(fault === undefined, `${item.key ?? "the response"}: metadata: ${fault}`);
      }
    },
  },
];
