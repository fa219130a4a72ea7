import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { adminToken, operatorOf } from "../../../support/operator.ts";
import { bearer, startService, type TestService, ways } from "../../../support/service.ts";

/**
 * A source that switches on one feature, named after a context field that its `varyBy` lacks. It reads the field if a
 * request sends the declared attribute `ask`, so the readiness check does not.
 */
const source = `
const fields = {
  user: (context) => context.userId,
  client: (context) => context.targetingKey,
  plan: (context) => context.attributes?.plan,
  header: (context) => context.attributes.tier,
  spread: (context) => ({ ...context }).userId,
  json: (context) => JSON.parse(JSON.stringify(context)).userId,
  present: (context) => ("userId" in context ? "present" : "absent"),
  late: async (context) => {
    await new Promise((resume) => setTimeout(resume, 20));
    return context.userId;
  },
};
const on = { on: true, value: true, reason: "TARGETING_MATCH" };
export const source = {
  summary: "Reads a field that varyBy lacks.",
  options: ({ z }) => z.strictObject({}),
  example: {},
  create: () => ({
    varyBy: ["attributes.ask"],
    resolve: (context) => {
      const read = fields[context.attributes?.ask];
      const resultOf = (value) => ({ features: new Map(read ? [["is-" + value, on]] : []), validUntil: Infinity });
      const value = read?.(context);
      return value instanceof Promise ? value.then(resultOf) : resultOf(value);
    },
  }),
};
`;

const folder = mkdtempSync(join(tmpdir(), "tidegate-undeclared-"));
writeFileSync(join(folder, "undeclared.js"), source);
afterAll(() => rmSync(folder, { recursive: true }));

const yaml = `
connections:
  users: { kind: sqlite, file: "\${FOLDER}/store.db" }
tokens: { connection: users }
context:
  attributes:
    ask: { query: ask }
    plan: { query: plan }
    tier: { header: X-Tier }
sources:
  - { name: undeclared, kind: ../${basename(folder)}/undeclared.js }
`;

describe.each(ways)("an undeclared read of a source file, served %s", (_, way) => {
  let service: TestService;
  let errors: unknown[][];
  beforeEach(async () => {
    const env = { TIDEGATE_SOURCE_FOLDERS: folder, TIDEGATE_ADMIN_TOKEN: adminToken };
    service = await startService(yaml, env, way);
    const { post } = operatorOf(service);
    for (const user of ["ana", "ben"]) await post(`/users/${user}/tokens`, { token: `token-of-${user}` });
    errors = vi.spyOn(service.log, "error").mockImplementation(() => {}).mock.calls;
  });
  afterEach(() => service[Symbol.asyncDispose]());

  const call = async (ask: string, headers: Record<string, string> = {}, more = "") => {
    const response = await service.get(`/features?ask=${ask}${more}`, headers);
    const { active_features } = (await response.json()) as { active_features: string[] };
    return { features: active_features, etag: response.headers.get("etag"), vary: response.headers.get("vary") };
  };
  const featuresOf = async (ask: string, user: string) => (await call(ask, bearer(`token-of-${user}`))).features;
  const logged = (fields: readonly string[]) => [
    [{ source: "undeclared", fields }, "the source reads context fields that its varyBy lacks; add them to varyBy"],
  ];

  it.each([
    ["at once", "user"],
    ["late, in an asynchronous resolve", "late"],
  ])("serves no caller the result of another, even in the first two requests, if it happens %s", async (_, ask) => {
    const first = await Promise.all([featuresOf(ask, "ana"), featuresOf(ask, "ben")]);
    expect(first).toEqual([["is-ana"], ["is-ben"]]);
    for (const user of ["ana", "ben", "ana", "ben"]) expect(await featuresOf(ask, user)).toEqual([`is-${user}`]);
    expect((await call(ask)).features).toEqual(["is-undefined"]);
    expect(errors).toEqual(logged(["userId"]));
  });

  it("serves no result from before the read to later requests", async () => {
    expect(await featuresOf("nothing", "ana")).toEqual([]);
    expect(await featuresOf("user", "ana")).toEqual(["is-ana"]);
    expect(await featuresOf("nothing", "ben")).toEqual([]);
    expect(await featuresOf("user", "ben")).toEqual(["is-ben"]);
  });

  it.each([
    ["a spread", "spread", (user: string) => [`is-${user}`]],
    ["JSON.stringify", "json", (user: string) => [`is-${user}`]],
  ])("is noticed in %s, which reads all fields", async (_, ask, expected) => {
    for (const user of ["ana", "ben", "ana"]) expect(await featuresOf(ask, user)).toEqual(expected(user));
    expect(errors[0]?.[0]).toMatchObject({ fields: expect.arrayContaining(["userId", "targetingKey"]) });
  });

  it("is noticed if only the presence of a field is read", async () => {
    expect((await call("present")).features).toEqual(["is-absent"]);
    expect(await featuresOf("present", "ana")).toEqual(["is-present"]);
    expect(errors).toEqual(logged(["userId"]));
  });

  it("is noticed for single attributes", async () => {
    for (const plan of ["gold", "basic", "gold"]) {
      expect((await call("plan", {}, `&plan=${plan}`)).features).toEqual([`is-${plan}`]);
    }
    expect((await call("plan")).features).toEqual(["is-undefined"]);
    expect(errors).toEqual(logged(["attributes.plan"]));
  });

  it.each([
    ["client", "Tidegate-Client-Id", "targetingKey"],
    ["header", "X-Tier", "attributes.tier"],
  ])("adds the header of %s to Vary, and gives it to the source from then on", async (ask, header, field) => {
    const before = await call(ask, { [header]: "one" });
    expect(before).toMatchObject({ features: ["is-undefined"] });
    const answers = [];
    for (const value of ["one", "two", "one", "two"]) answers.push(await call(ask, { [header]: value }));
    expect(answers.map(({ features }) => features)).toEqual([["is-one"], ["is-two"], ["is-one"], ["is-two"]]);
    expect(new Set(answers.map(({ etag }) => etag)).size).toBe(2);
    for (const { vary } of answers) expect(vary).toBe(`Authorization, ${header}`);
    expect((await call(ask)).features).toEqual(["is-undefined"]);
    expect(errors).toEqual(logged([field]));
  });
});

it("an undeclared read of the client id lets browsers send it", async () => {
  const cors = `${yaml}server: { cors: { origins: ["https://shop.example"] } }\n`;
  await using service = await startService(cors, { TIDEGATE_SOURCE_FOLDERS: folder });
  const preflight = { origin: "https://shop.example", "access-control-request-method": "GET" };
  const allowed = async () =>
    (await fetch(`${service.url}/features`, { method: "OPTIONS", headers: preflight })).headers.get(
      "access-control-allow-headers",
    );
  expect(await allowed()).not.toContain("tidegate-client-id");
  await service.get("/features?ask=client");
  expect(await allowed()).toContain("tidegate-client-id");
});
