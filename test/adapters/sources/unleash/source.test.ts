import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import type { z } from "zod";
import { source } from "../../../../src/adapters/sources/unleash/source.ts";
import { schemaTools } from "../../../../src/bootstrap/config/schema-tools.ts";
import type { EvaluationContext } from "../../../../src/domain/evaluation/evaluation-context.ts";
import type { Json } from "../../../../src/domain/evaluation/feature.ts";
import type { FeatureResolver } from "../../../../src/domain/evaluation/feature-resolver.ts";
import type { Resolution, SourceResult } from "../../../../src/domain/evaluation/source-result.ts";
import { featureResolverContract } from "../../../contracts/feature-resolver.contract.ts";
import {
  type DocumentServer,
  respondWith,
  respondWithStatus,
  startDocumentServer,
} from "../../../support/document-server.ts";
import { hosted, hostOn } from "../../../support/source-host.ts";
import { until } from "../../../support/until.ts";

type Options = z.input<ReturnType<typeof source.options>>;

const opened = (options: Options, warnings: unknown[] = []) => {
  const host = hostOn(undefined, { warnings });
  return hosted(source.create(source.options(schemaTools(undefined)).parse(options), host), host);
};

const folder = mkdtempSync(join(tmpdir(), "tidegate-unleash-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

/** A source over a file with this document. */
function over(state: unknown, options: Partial<Options> = {}, warnings: unknown[] = []) {
  files += 1;
  const file = join(folder, `${files}.json`);
  writeFileSync(file, JSON.stringify(state));
  return opened({ file, ...options }, warnings);
}

const feature = (name: string, others = {}) => ({ name, enabled: true, strategies: [{ name: "default" }], ...others });
const constrained = (constraint: object) =>
  feature("flag", { strategies: [{ name: "default", constraints: [{ inverted: false, values: [], ...constraint }] }] });
const resolutionOf = async (
  resolver: FeatureResolver,
  context: Partial<EvaluationContext> = {},
): Promise<Resolution | undefined> => (await resolver.resolve({ at: 0, ...context })).features.get("flag");

describe("kind unleash", () => {
  const state = {
    version: 2,
    features: [
      feature("for_spain", {
        strategies: [{ name: "default", constraints: [{ contextName: "country", operator: "IN", values: ["ES"] }] }],
      }),
      feature("constructor"),
      feature("retired", { enabled: false }),
      feature("for_others", { strategies: [{ name: "default", segments: [1] }] }),
    ],
    segments: [{ id: 1, constraints: [{ contextName: "country", operator: "NOT_IN", values: ["ES"] }] }],
  };
  const expected = {
    context: { at: 0, attributes: { country: "ES" } },
    on: ["for_spain", "constructor"],
    off: ["retired", "for_others"],
  };

  describe("with a file", () => {
    featureResolverContract(
      async () => ({ resolver: over(state), ...expected }),
      async () => opened({ file: join(folder, "missing.json") }),
    );
  });

  describe("with a server", () => {
    featureResolverContract(
      async () => {
        await using server = await startDocumentServer(respondWith(JSON.stringify(state)));
        const resolver = opened({ url: `${server.url}/api` });
        await until(() => answers(resolver), "the server was asked");
        await resolver[Symbol.asyncDispose]();
        return { resolver, ...expected };
      },
      async () => opened({ url: "http://127.0.0.1:9/api" }),
    );
  });

  it.each<[string, object, Partial<EvaluationContext>, Partial<Resolution>]>([
    ["that is on", feature("flag"), {}, { on: true, value: true, reason: "STATIC" }],
    ["that is off", feature("flag", { enabled: false }), {}, { on: false, value: false, reason: "DISABLED" }],
    [
      "of another constraint",
      constrained({ contextName: "plan", operator: "IN", values: ["pro"] }),
      {},
      { on: false, value: false, reason: "DEFAULT" },
    ],
    [
      "of a matching constraint",
      constrained({ contextName: "plan", operator: "IN", values: ["pro"] }),
      { attributes: { plan: "pro" } },
      { on: true, value: true, reason: "TARGETING_MATCH" },
    ],
    ["with a variant", withVariant(), {}, { on: true, value: true, variant: "blue", reason: "SPLIT" }],
    ["with a text", withVariant({ type: "string", value: "#00f" }), {}, { value: "#00f" }],
    ["with a number", withVariant({ type: "number", value: "7" }), {}, { value: 7 }],
    ["with a map", withVariant({ type: "json", value: '{"a":[1]}' }), {}, { value: { a: [1] } }],
    ["with a payload of another type", withVariant({ type: "string", value: 7 }), {}, { value: true }],
    ["with invalid JSON", withVariant({ type: "json", value: '{"a"' }), {}, { value: '{"a"' }],
    [
      "with a project and a type",
      feature("flag", { project: "shop", type: "release" }),
      {},
      { metadata: { project: "shop", type: "release" } },
    ],
  ])("returns state, value and reason of a feature %s", async (_, flag, context, resolution) => {
    expect(await resolutionOf(over({ features: [flag] }), context)).toMatchObject(resolution);
  });

  it.each<[string, Partial<EvaluationContext>]>([
    ["userId", { userId: "7" }],
    ["sessionId", { targetingKey: "7" }],
    ["remoteAddress", { ip: "7" }],
    ["location", { locations: ["7", "x"] }],
  ])("reads %s from the context, not from an attribute of that name", async (contextName, context) => {
    const resolver = over(
      { features: [constrained({ contextName, operator: "IN", values: ["7"] })] },
      { readsAddress: true },
    );
    expect(await resolutionOf(resolver, context)).toMatchObject({ on: true });
    expect(await resolutionOf(resolver, { attributes: { [contextName]: "7" } })).toMatchObject({ on: false });
  });

  it("warns of rules that need the address without readsAddress", async () => {
    const warnings: { fault: string }[] = [];
    const strategies = [{ name: "remoteAddress", parameters: { IPs: "192.0.2.1" } }];
    const resolver = over({ features: [feature("flag", { strategies })] }, {}, warnings);
    expect(await resolutionOf(resolver, { ip: "192.0.2.1" })).toMatchObject({ on: false });
    expect(warnings).toEqual([{ source: "tested", fault: expect.stringContaining("set readsAddress: true") }]);
  });

  it.each<[Json, string, object]>([
    [7, "NUM_GT", { value: "6" }],
    [true, "IN", { values: ["true"] }],
    ["2.3.1", "SEMVER_GTE", { value: "2.3.0" }],
  ])("evaluates constraints on the attribute %j", async (attribute, operator, others) => {
    const resolver = over({ features: [constrained({ contextName: "given", operator, ...others })] });
    expect(await resolutionOf(resolver, { attributes: { given: attribute } })).toMatchObject({ on: true });
  });

  describe("currentTime", () => {
    const boundary = Date.parse("2026-11-20T18:00:00Z");
    const dated = (operator: string) =>
      over({ features: [constrained({ contextName: "currentTime", operator, value: "2026-11-20T18:00:00Z" })] });
    const at = async (resolver: FeatureResolver, instant: number) => {
      const { features, validUntil } = await resolver.resolve({ at: instant });
      return [features.get("flag")?.on, validUntil];
    };

    it("is the evaluated time, and ends the result at the date that changes it", async () => {
      const after = dated("DATE_AFTER");
      expect(await at(after, boundary)).toEqual([false, boundary + 1]);
      expect(await at(after, boundary + 1)).toEqual([true, Number.POSITIVE_INFINITY]);
      const before = dated("DATE_BEFORE");
      expect(await at(before, boundary - 1)).toEqual([true, boundary]);
      expect(await at(before, boundary)).toEqual([false, Number.POSITIVE_INFINITY]);
    });

    it("makes a result valid for one second with other operators", async () => {
      const odd = constrained({ contextName: "currentTime", operator: "STR_CONTAINS", values: ["Fri"] });
      expect((await over({ features: [odd] }).resolve({ at: 5 })).validUntil).toBeUndefined();
    });
  });

  describe("gradual rollouts", () => {
    const rollout = (parameters: object) =>
      over({ features: [feature("flag", { strategies: [{ name: "flexibleRollout", parameters }] })] });
    const holds = async (resolver: FeatureResolver, context: Partial<EvaluationContext> = {}) => {
      const { dependencies: from = [], validUntil } = await resolver.resolve({ at: 5, ...context });
      expect(validUntil).toBe(Number.POSITIVE_INFINITY);
      return from.every((cached) => cached.isCurrent(5));
    };

    it("are valid forever with a stickiness value, and for one evaluation if random", async () => {
      const half = rollout({ rollout: "50", stickiness: "default", groupId: "g" });
      expect(await holds(half, { targetingKey: "k" })).toBe(true);
      expect(await holds(half)).toBe(false);
      expect(await holds(rollout({ rollout: "50", stickiness: "random" }), { userId: "1" })).toBe(false);
      expect(await holds(rollout({ rollout: "100", stickiness: "random" }))).toBe(true);
      expect(await holds(rollout({ rollout: "50", stickiness: "plan" }), { attributes: { plan: "pro" } })).toBe(true);
    });

    it("select variants in the same way", async () => {
      const variants = ["a", "b"].map((name) => ({ name, weight: 500, stickiness: "default" }));
      const resolver = over({ features: [feature("flag", { variants })] });
      expect(await holds(resolver)).toBe(false);
      expect(await holds(resolver, { targetingKey: "k" })).toBe(true);
      expect((await resolutionOf(resolver, { targetingKey: "k" }))?.variant).toMatch(/^[ab]$/);
    });
  });

  it("disables only the feature that has a fault", async () => {
    const warnings: { fault: string }[] = [];
    const features = [
      feature("flag"),
      { name: "nameless", enabled: "yes" },
      feature("\u0001"),
      constrained({ operator: "IN", contextName: "x", values: undefined }),
      feature("segmented", { strategies: [{ name: "default", segments: [7] }] }),
      null,
      feature("unknown", { strategies: [{ name: "ownStrategy" }] }),
      feature("child", { dependencies: [{ feature: "nobody" }] }),
      { name: "bare", enabled: true },
      { name: "disabled", enabled: false },
      feature("chosen", { strategies: [{ name: "userWithId" }] }),
    ].map((each, index) => (index === 3 ? { ...each, name: "odd" } : each));
    const segments = [{ id: 7, constraints: [{ contextName: "plan", operator: "NOT_IN" }] }];
    const resolver = over({ features, segments }, {}, warnings);
    const answer = await resolver.resolve({ at: 0 });
    expect(new Map([...answer.features].map(([name, { on }]) => [name, on]))).toEqual(
      new Map([
        ["flag", true],
        ["nameless", false],
        ["odd", false],
        ["segmented", false],
        ["unknown", false],
        ["child", false],
        ["bare", false],
        ["disabled", false],
        ["chosen", false],
      ]),
    );
    const faults = warnings.map(({ fault }) => fault);
    expect(faults).toEqual([
      'feature "nameless": enabled: Invalid input: expected boolean, received string',
      expect.stringMatching(/^feature "\\u0001": invalid key/),
      'feature "odd": strategies[0].constraints[0].values: missing (IN needs a list of texts)',
      'feature "segmented": segment 7: constraints[0].values: missing (NOT_IN needs a list of texts)',
      "features[5]: Invalid input: expected object, received null",
      'feature "unknown": unknown strategy "ownStrategy" is off',
      'feature "bare": strategies: missing (expected a list)',
      'feature "chosen": strategies[0].parameters: missing (userWithId needs a map)',
    ]);
    expect(answer.features.get("odd")?.metadata?.["error"]).toMatch(/IN needs a list of texts/);
    expect(resolver.faults()).toEqual(faults);
  });

  const exported = { name: "menu", type: "release", project: "default", stale: false };
  it.each([
    ["an export", { features: [exported], featureStrategies: [], featureEnvironments: [] }, /it is an export/],
    ["an export without features", { features: [], featureEnvironments: [] }, /it is an export/],
    [
      "a response of the admin API",
      {
        version: 2,
        features: [{ ...exported, enabled: false, environments: [{ name: "production", enabled: true }] }],
      },
      /response of Unleash's admin API/,
    ],
    ["no usable feature", { features: [exported] }, /no feature is usable: feature "menu": enabled: /],
    [
      "no strategies",
      { features: [{ ...exported, enabled: true }] },
      /no feature is usable: feature "menu": strategies: /,
    ],
  ])("keeps the last valid features when it reads %s", async (_, document, fault) => {
    const warnings: { fault: string }[] = [];
    const resolver = over({ features: [feature("flag")] }, {}, warnings);
    const before = await resolver.resolve({ at: 0 });
    writeFileSync(join(folder, `${files}.json`), JSON.stringify(document));
    await until(() => before.dependencies?.[0]?.isCurrent(Date.now()) === false, "the fault is noticed");
    expect(await resolutionOf(resolver)).toMatchObject({ on: true });
    expect(warnings).toEqual([{ source: "tested", fault: expect.stringMatching(fault) }]);
    expect(warnings[0]?.fault).toContain("/api/client/features");
    expect(resolver.faults()).toEqual([expect.stringMatching(fault)]);
    await resolver[Symbol.asyncDispose]();
  });

  it("accepts an empty list of features", async () => {
    expect([...(await over({ features: [] }).resolve({ at: 0 })).features]).toEqual([]);
  });

  it("reads a file with a byte order mark", async () => {
    const file = join(folder, "bom.json");
    writeFileSync(file, `\ufeff${JSON.stringify({ features: [feature("flag")] })}`);
    expect(await resolutionOf(opened({ file }))).toMatchObject({ on: true });
  });

  describe("polls a server", () => {
    const one = JSON.stringify({ version: 2, features: [feature("flag")] });
    const other = JSON.stringify({ version: 2, features: [feature("flag", { enabled: false })] });
    const poll = (server: DocumentServer, warnings: unknown[] = []) =>
      opened({ url: `${server.url}/api/`, token: "*:development.s3cret", appName: "shop", pollSeconds: 1 }, warnings);

    it("with its token, app name and ETag", async () => {
      await using server = await startDocumentServer(respondWith(one, '"1"'));
      await using resolver = poll(server);
      await until(() => server.requests.length > 1, "it is asked again");
      expect(server.requests[1]).toMatchObject({
        target: "/api/client/features",
        authorization: "*:development.s3cret",
        "unleash-appname": "shop",
        "unleash-client-spec": "5.2.0",
        "if-none-match": '"1"',
      });
      const before = await resolver.resolve({ at: Date.now() });
      expect(before.features.get("flag")?.on).toBe(true);
      server.answer = respondWith(other, '"2"');
      await until(
        async () => (await resolver.resolve({ at: Date.now() })).features.get("flag")?.on === false,
        "it changes",
      );
      expect(before.dependencies?.[0]?.isCurrent(Date.now())).toBe(false);
    });

    it.each(["/api", "/api/", "/api/client/features", "/api/client/features/", "/api/client/features?project=shop"])(
      "at the URL %s",
      async (path) => {
        await using server = await startDocumentServer(respondWith(one));
        await using _ = opened({ url: server.url + path });
        await until(() => server.requests.length > 0, "it is asked");
        const query = path.includes("?") ? "?project=shop" : "";
        expect(server.requests[0]?.target).toBe(`/api/client/features${query}`);
      },
    );

    it.each<[string, DocumentServer["answer"], RegExp]>([
      ["is down", (response) => void response.destroy(), /cannot be used/],
      ["refuses the token", respondWithStatus(401), /responds 401/],
      ["sends garbage", respondWith("<html>"), /JSON/],
      [
        "sends another document",
        respondWith("{}"),
        /^.*features: Invalid input.*expected the response of .api.client.features/,
      ],
    ])(
      "that %s: rejects before the first response, and keeps the last valid features afterwards",
      async (_, harm, fault) => {
        const printed = vi.spyOn(console, "error");
        await using server = await startDocumentServer(harm);
        const warnings: { fault: string }[] = [];
        await using resolver = poll(server, warnings);
        await until(() => warnings.length === 1, "the fault is reported");
        await expect((async () => resolver.resolve({ at: 0 }))()).rejects.toThrow();
        expect(warnings[0]?.fault).toMatch(fault);
        expect(JSON.stringify(warnings)).not.toContain("s3cret");
        server.answer = respondWith(one);
        await until(() => answers(resolver), "it answers");
        server.answer = harm;
        await until(
          async () => (await resolver.resolve({ at: 0 })).dependencies?.[0]?.lastError !== undefined,
          "the fault is noticed",
        );
        expect(await resolutionOf(resolver)).toMatchObject({ on: true });
        expect(printed).not.toHaveBeenCalled();
      },
    );
  });

  const require = createRequire(import.meta.url);
  const specification = join(dirname(require.resolve("@unleash/client-specification/package.json")), "specifications");
  const specified = (JSON.parse(readFileSync(join(specification, "index.json"), "utf8")) as string[]).map(
    (file) => JSON.parse(readFileSync(join(specification, file), "utf8")) as Specification,
  );

  describe.each(specified.filter(({ state }) => "features" in state))(
    "the specification of Unleash: $name",
    ({ state, tests = [], variantTests = [] }) => {
      it.each(tests)("$description", async ({ context, toggleName, expectedResult }) => {
        expect((await asked(state, context)).get(toggleName)?.on ?? false).toBe(expectedResult);
      });

      it.each(variantTests)("$description", async ({ context, toggleName, expectedResult }) => {
        const { on = false, variant, value } = (await asked(state, context)).get(toggleName) ?? {};
        expect(on).toBe(expectedResult.feature_enabled);
        expect(variant).toBe(expectedResult.enabled ? expectedResult.name : undefined);
        if (expectedResult.payload) expect(value).toEqual(meant(expectedResult.payload));
      });
    },
  );

  it("runs the whole specification except for streaming", () => {
    const cases = specified.map(({ tests = [], variantTests = [] }) => tests.length + variantTests.length);
    const streamed = specified.filter(({ state }) => !("features" in state)).map(({ name }) => name);
    expect(streamed).toEqual(["19-delta-api-hydration", "20-delta-api-events"]);
    expect(cases.reduce((sum, each) => sum + each)).toBe(279);
  });

  const answers = (resolver: FeatureResolver): boolean => {
    try {
      return resolver.resolve({ at: 0 }) !== undefined;
    } catch {
      return false;
    }
  };
});

function withVariant(payload?: object) {
  return feature("flag", { variants: [{ name: "blue", weight: 1, ...(payload ? { payload } : {}) }] });
}

type Payload = { readonly type: string; readonly value: string };
type Case<Expected> = {
  readonly description: string;
  readonly context: Readonly<Record<string, unknown>>;
  readonly toggleName: string;
  readonly expectedResult: Expected;
};
type Specification = {
  readonly name: string;
  readonly state: object;
  readonly tests?: readonly Case<boolean>[];
  readonly variantTests?: readonly Case<{
    readonly name: string;
    readonly enabled: boolean;
    readonly feature_enabled: boolean;
    readonly payload?: Payload;
  }>[];
};

const meant = ({ type, value }: Payload): unknown => (type === "json" || type === "number" ? JSON.parse(value) : value);

/** The features for a context of Unleash's specification. */
async function asked(state: object, context: Case<unknown>["context"]): Promise<SourceResult["features"]> {
  const { userId, sessionId, remoteAddress, currentTime, appName, environment, properties, ...others } = context;
  const text = (value: unknown, name: string) => (value === undefined ? {} : { [name]: String(value) });
  const resolver = over(state, {
    ...text(appName, "appName"),
    ...text(environment, "environment"),
    readsAddress: true,
  });
  const { features } = await resolver.resolve({
    at: currentTime === undefined ? Date.now() : Date.parse(String(currentTime)),
    ...text(userId, "userId"),
    ...text(sessionId, "targetingKey"),
    ...text(remoteAddress, "ip"),
    attributes: { ...others, ...(properties as object) } as Record<string, Json>,
  });
  await resolver[Symbol.asyncDispose]();
  return features;
}
