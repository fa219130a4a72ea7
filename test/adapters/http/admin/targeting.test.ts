import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { instant } from "../../../support/instant.ts";
import { adminToken, type Operator, sqliteRules, startOperator } from "../../../support/operator.ts";
import { bearer } from "../../../support/service.ts";
import { until } from "../../../support/until.ts";

const variants = { on: true, off: false };
const flag = { state: "ENABLED", variants, defaultVariant: "off" };
const adults = { ">=": [{ var: "age" }, 18] };

describe("targeting that operators edit", () => {
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    operator = await startOperator(`${sqliteRules}
  - { name: targeting, kind: flagd, connection: features }
context:
  attributes:
    age: { query: age, type: number }
`);
  });
  afterAll(() => operator[Symbol.asyncDispose]());

  const put = (name: string, rule: unknown) => operator.put(`/sources/targeting/rules/${name}`, {}, rule);
  const evaluate = async (key: string, age?: number) => {
    const response = await fetch(`${operator.service.url}/ofrep/v1/evaluate/flags/${key}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ context: age === undefined ? {} : { age } }),
    });
    const { value, variant, reason } = (await response.json()) as Record<string, unknown>;
    return { value, variant, reason };
  };
  const at = async (moment: number, query: string) => {
    const path = `/features?at=${new Date(moment).toISOString()}${query}`;
    const response = await operator.service.get(path, bearer(adminToken));
    if (!response.ok || response.headers.has("cache-status")) return "unknown";
    return ((await response.json()) as { active_features: readonly string[] }).active_features;
  };

  it("takes effect at once, with values and variants, and segments change the flags that use them", async () => {
    const theme = {
      state: "ENABLED",
      variants: { dark: "#000", light: "#fff" },
      defaultVariant: "light",
      targeting: { if: [{ $ref: "adults" }, "dark"] },
    };
    const kept = await put("theme", theme);
    expect([kept.status, kept.body.rule, kept.body.valid]).toEqual([200, theme, true]);
    expect(await evaluate("theme", 20)).toMatchObject({ value: undefined, variant: undefined });
    const { sources } = (await operator.get("/sources")).body;
    expect(sources.find(({ name }: { name: string }) => name === "targeting")).toMatchObject({
      rules: { connection: "features", collection: "flags" },
      faults: ['flag "theme": segment "adults" does not exist; add it, or correct the $ref'],
    });
    expect((await put("$adults", adults)).status).toBe(200);
    expect(await evaluate("theme", 20)).toEqual({ value: "#000", variant: "dark", reason: "TARGETING_MATCH" });
    expect(await evaluate("theme", 17)).toEqual({ value: "#fff", variant: "light", reason: "DEFAULT" });
    await put("$adults", { ">=": [{ var: "age" }, 21] });
    expect(await evaluate("theme", 20)).toMatchObject({ variant: "light" });
    await put("theme", { ...theme, state: "DISABLED" });
    expect(await evaluate("theme", 30)).toMatchObject({ reason: "DISABLED" });
    expect(await operator.features()).toEqual(["always"]);
  });

  it("lists segments among the rules, and never as features", async () => {
    await put("$listed", adults);
    await put("listed", { ...flag, defaultVariant: "on" });
    const { rules } = (await operator.get("/sources/targeting/rules?search=listed")).body;
    expect(rules.map(({ feature }: { feature: string }) => feature)).toEqual(["$listed", "listed"]);
    const { features } = (await operator.get("/features?search=listed")).body;
    expect(features.map(({ feature }: { feature: string }) => feature)).toEqual(["listed"]);
    expect(await evaluate("$listed")).toEqual({ value: undefined, variant: undefined, reason: undefined });
    expect(await operator.features()).toContain("listed");
    expect((await operator.delete("/sources/targeting/rules/$listed")).body.removed).toBe(true);
  });

  it("is rejected with all faults, by pointers, and nothing is stored", async () => {
    const { status, body } = await put("refused", { ...flag, state: "on", defaultVariant: "blue" });
    expect([status, body.code]).toEqual([422, "validation-failed"]);
    expect(body.errors).toEqual([{ pointer: "/state", detail: "is invalid (expected ENABLED, DISABLED)" }]);
    expect((await put("refused", { ...flag, defaultVariant: "blue" })).body.errors).toEqual([
      { pointer: "/defaultVariant", detail: "is not one of its variants; name one of them" },
    ]);
    const unknown = await put("$refused", { older: [18] });
    expect(unknown.body.errors).toEqual([
      { pointer: "", detail: expect.stringMatching(/"older" is not an operation/) },
    ]);
    const large = { ...flag, metadata: { text: "x".repeat(200_000) } };
    expect((await put("refused", large)).body.code).toBe("payload-too-large");
    const deep = `${'{"!":['.repeat(5_000)}1${"]}".repeat(5_000)}`;
    expect((await put("$refused", deep)).body.code).toBe("validation-failed");
    expect((await put("$a%20b", adults)).status).toBe(422);
    for (const name of ["refused", "$refused"])
      expect((await operator.get(`/sources/targeting/rules/${name}`)).status).toBe(404);
    const long = { ...flag, metadata: { text: "x".repeat(100_000) } };
    expect((await put("long", long)).status).toBe(200);
  });

  it("is recorded, explained and evaluated for past instants, segments included", async () => {
    await until(async () => (await at(Date.now() - 1, "")) !== "unknown", "the history has begun");
    await put("$past", adults);
    await operator.put(
      "/sources/targeting/rules/past?note=TICKET-8",
      {},
      { ...flag, targeting: { if: [{ $ref: "past" }, "on"] } },
    );
    const before = await instant();
    await put("$past", { "<": [{ var: "age" }, 18] });
    const after = await instant();
    expect(await at(before, "&age=20")).toContain("past");
    expect(await at(before, "&age=10")).not.toContain("past");
    expect(await at(after, "&age=20")).not.toContain("past");
    expect(await at(after, "&age=10")).toContain("past");
    const explained = await operator.post("/explain", {
      at: new Date(before).toISOString(),
      attributes: { age: 20 },
      features: ["past"],
    });
    expect(explained.body.features[0].results).toContainEqual(
      expect.objectContaining({
        source: "targeting",
        result: "on",
        rule: expect.objectContaining({ targeting: { if: [{ $ref: "past" }, "on"] } }),
        lastChange: expect.objectContaining({ note: "TICKET-8" }),
      }),
    );
  });
});
