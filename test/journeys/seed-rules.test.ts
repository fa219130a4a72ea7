import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { markerKey } from "../../src/infrastructure/redis/empty-store-guard.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { basic, redisRules, settled, startService, type TestService } from "../support/service.ts";
import { until } from "../support/until.ts";

type State = {
  readonly global: readonly string[];
  readonly active: readonly string[];
  readonly users: Readonly<Record<string, readonly string[] | undefined>>;
  readonly tokens: Readonly<Record<string, string | undefined>>;
};

/** The seed's rules, from its README. `undefined` is 401. */
function seedAnswer({ global, active, users, tokens }: State, token: string | undefined): string[] | undefined {
  if (token === undefined) return [...new Set(global)].sort();
  const user = tokens[token];
  if (user === undefined) return undefined;
  const own = (users[user] ?? []).filter((feature) => active.includes(feature));
  return [...new Set([...global, ...own])].sort();
}

const features = fc.uniqueArray(
  fc.constantFrom("feature_1", "feature_2", "feature_3", "feature_4", "f", "constructor"),
);
const userIds = ["1", "2", "user@example.org", "Ana"];
const tokenNames = ["1234", "a", "T0ken-._~+/", "zz=="];
const state: fc.Arbitrary<State> = fc.record({
  global: features,
  active: features,
  users: fc.record(Object.fromEntries(userIds.map((id) => [id, features])), { requiredKeys: [] }),
  tokens: fc.record(Object.fromEntries(tokenNames.map((token) => [token, fc.constantFrom(...userIds)])), {
    requiredKeys: [],
  }),
});
const callers = [undefined, ...tokenNames, "unknown"];
const states = 400;

describe("the rules of the seed", () => {
  let users: RedisServer;
  let store: RedisServer;
  let service: TestService;
  beforeAll(async () => {
    [users, store] = await Promise.all([startRedis(), startRedis()]);
    service = await startService(redisRules(`${users.url}/3`, `${store.url}/1`));
    await service.readyWithin(10_000);
    await Promise.all([users.client.select(3), store.client.select(1)]);
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await Promise.all([users[Symbol.asyncDispose](), store[Symbol.asyncDispose]()]);
  });

  /** A current response: neither marked as stale nor 503, as it may be while Redis does not get a processor. */
  async function current(token: string | undefined): Promise<Response> {
    let response: Response | undefined;
    await until(async () => {
      response = await service.get("/features", token === undefined ? {} : basic(token));
      return response.status !== 503 && response.headers.get("cache-status") === null;
    }, "the service responds with a current result");
    return response as Response;
  }

  async function put({ global, active, users: sets, tokens }: State): Promise<void> {
    const write = store.client.multi().flushdb().set(markerKey, "1");
    for (const [key, members] of Object.entries({ global_features: global, active_features: active })) {
      if (members.length > 0) write.sadd(key, ...members);
    }
    for (const [id, members] of Object.entries(sets)) {
      if (members?.length) write.sadd(`features:user:${id}`, ...members);
    }
    const assign = users.client.multi().flushdb().set(markerKey, "1");
    for (const [token, id] of Object.entries(tokens)) if (id) assign.set(`token:${token}`, id);
    await Promise.all([write.exec(), assign.exec()]);
    await settled(store.client, service, users.client);
  }

  it("hold over HTTP in any state, for any caller, with users and features on two servers", async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(state, async (given) => {
        await put(given);
        const answers = await Promise.all(
          callers.map(async (token) => {
            const response = await current(token);
            if (response.status === 401) return undefined;
            expect(response.status).toBe(200);
            return ((await response.json()) as { active_features: string[] }).active_features;
          }),
        );
        expect(answers).toEqual(callers.map((token) => seedAnswer(given, token)));
        compared += answers.length;
      }),
      { numRuns: states },
    );
    expect(compared).toBe(states * callers.length);
    expect(compared).toBeGreaterThanOrEqual(2_000);
  });
});
