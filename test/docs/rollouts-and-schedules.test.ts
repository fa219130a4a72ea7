import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminToken, type Operator, sqliteRules, startOperator } from "../support/operator.ts";
import { bearer } from "../support/service.ts";
import { until } from "../support/until.ts";
import { Walkthrough } from "../support/walkthrough.ts";

describe.each([
  ["docs/how-to/schedules.md", 10],
  ["docs/how-to/rollouts.md", 7],
])("the page %s", (name, commands) => {
  it("shows the output of its commands", async () => {
    using page = new Walkthrough(name);
    page.configure("Use it");
    const env = {
      TIDEGATE_DATA: join(page.folder, "data"),
      TIDEGATE_CONFIG: join(page.folder, "my.yaml"),
      TIDEGATE_ADMIN_TOKEN: "the-operators-credential",
    };
    await using service = await page.serve(env);
    await page.follow("Use it", service.url, env, commands);
  });
});

describe("over HTTP", () => {
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    operator = await startOperator(
      `${sqliteRules}
  - { name: times, kind: schedule, connection: features }
  - { name: shares, kind: percentage, connection: features, role: gate, default: allow }
  - { name: offers, kind: set, connection: features, key: offers, gatedBy: [shares] }
`,
    );
  });
  afterAll(() => operator[Symbol.asyncDispose]());

  const ask = async (headers: Record<string, string> = {}) => {
    const answer = await operator.service.get("/features", headers);
    const { active_features } = (await answer.json()) as { active_features: readonly string[] };
    return { features: active_features, next: answer.headers.get("next-change-at"), at: Date.now() };
  };

  const whatWas = async (at: number) => {
    const answer = await operator.service.get(`/features?at=${new Date(at).toISOString()}`, bearer(adminToken));
    const { active_features } = (await answer.json()) as { active_features?: readonly string[] };
    return (!answer.headers.has("cache-status") && active_features) || "not known";
  };

  it("a cached response changes at Next-Change-At, and the history agrees afterwards", async () => {
    await until(async () => (await whatWas(Date.now() - 1)) !== "not known", "the stores are on record");
    const startsAt = new Date(Date.now() + 5_000).toISOString();
    const endsAt = new Date(Date.now() + 8_000).toISOString();
    await operator.put("/sources/times/rules/soon", {}, { windows: [{ startsAt, endsAt }] });
    expect(await ask()).toMatchObject({ features: ["always"], next: startsAt });
    await until(async () => (await ask()).features.includes("soon"), "it has begun");
    expect((await ask()).at).toBeGreaterThanOrEqual(Date.parse(startsAt));
    expect(await ask()).toMatchObject({ next: endsAt });
    await until(async () => !(await ask()).features.includes("soon"), "it is over");
    expect(await ask()).toMatchObject({ next: null });
    expect(await whatWas(Date.parse(startsAt) - 1)).toEqual(["always"]);
    expect(await whatWas(Date.parse(startsAt))).toEqual(["always", "soon"]);
    expect(await whatWas(Date.parse(endsAt))).toEqual(["always"]);
  });

  it("a percentage keeps its ids while it grows, and excludes callers without an id", async () => {
    await operator.delete("/sources/shares/rules/new_menu");
    await operator.put("/sources/offers/features/new_menu");
    const isOn = async (id?: string) =>
      (await ask(id === undefined ? {} : { "tidegate-client-id": id })).features.includes("new_menu");
    expect([await isOn(), await isOn("7")]).toEqual([true, true]);
    await operator.put("/sources/shares/rules/new_menu", {}, { percentage: 34.57 });
    expect([await isOn(), await isOn("7"), await isOn("8")]).toEqual([false, false, false]);
    await operator.put("/sources/shares/rules/new_menu", {}, { percentage: 34.58 });
    expect([await isOn(), await isOn("7"), await isOn("8")]).toEqual([false, true, false]);
    await operator.put("/sources/shares/rules/new_menu", {}, { percentage: 100 });
    expect([await isOn(), await isOn("7"), await isOn("8")]).toEqual([false, true, true]);
  });
});
