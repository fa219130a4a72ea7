import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminToken, type Operator, redisRulesAt, sqliteRules, startOperator } from "../../../support/operator.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";
import { bearer } from "../../../support/service.ts";
import { until } from "../../../support/until.ts";

type Told = { message: string; recorded_by: string; key?: string; data: Record<string, unknown> };

describe.each(["sqlite", "redis"])("changes by operators over %s", (kind) => {
  let redis: RedisServer | undefined;
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    if (kind === "redis") redis = await startRedis();
    operator = await startOperator(redis ? redisRulesAt(redis.url) : sqliteRules);
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
  });

  const events = async (query: string): Promise<readonly Told[]> => {
    const answer = await operator.service.get(`/events?${query}`, bearer(adminToken));
    return ((await answer.json()) as { events: readonly Told[] }).events;
  };

  it("is recorded with actor, change and note, unless it is a dry run or rejected", async () => {
    await operator.put("/killed/tried?dryRun=true");
    await operator.put("/killed/a%20b");
    await operator.put("/killed/menu?note=TICKET-42");
    await operator.put("/catalogue/menu?note=named", {}, { owner: "ana" });
    const { body } = await operator.post("/users/1/tokens?note=for%20the%20shop");
    await until(async () => (await events("component=tidegate&message=issued")).length === 1, "all is in the log");
    const [kill, ...others] = await events("feature=menu&key=tidegate:killed");
    expect(others.filter(({ data }) => data["origin"] === "change")).toEqual([]);
    expect(kill).toMatchObject({
      message: "tidegate:killed: menu added",
      recorded_by: "admin",
      key: "tidegate:killed",
      data: { added: ["menu"], removed: [], note: "TICKET-42" },
    });
    expect(await events("message=catalogue")).toMatchObject([
      { message: "catalogue: menu set", data: { note: "named", value: { owner: "ana" } } },
    ]);
    const [issued] = await events("component=tidegate&message=issued");
    expect(issued).toMatchObject({ recorded_by: "admin", data: { tokenId: body.id, note: "for the shop" } });
    const whole = JSON.stringify(await events("limit=1000"));
    for (const absent of [body.token, "tried", adminToken]) expect(whole).not.toContain(absent);
  });

  it("is found by the key in its event", async () => {
    await operator.put("/killed/keyed");
    await operator.put("/catalogue/keyed", {}, { owner: "ana" });
    await operator.post("/users/2/tokens");
    await until(async () => (await events("message=issued%20for%20user%202")).length === 1, "all is in the log");
    const shown = (await events("limit=1000")).filter(({ key }) => key !== undefined);
    const keys = new Set(shown.map(({ key = "" }) => key));
    expect([...keys].filter((key) => key.startsWith("tokens/")).length).toBeGreaterThan(0);
    for (const key of keys) {
      const found = await events(`limit=1000&key=${encodeURIComponent(key)}`);
      expect(found).toEqual(shown.filter((event) => event.key === key));
    }
  });

  it("is recorded once per Idempotency-Key", async () => {
    const headers = { "idempotency-key": "recorded-once" };
    for (let time = 0; time < 3; time++) await operator.put("/sources/global/features/once", headers);
    await operator.put("/sources/global/features/after");
    await until(async () => (await events("feature=after")).length === 1, "what came after is in the log");
    expect(await events("feature=once")).toHaveLength(1);
  });
});
