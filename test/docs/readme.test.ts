import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { bearer, type TestService } from "../support/service.ts";
import { until } from "../support/until.ts";
import { Walkthrough } from "../support/walkthrough.ts";

/** Whether the last change of "Ask it something" is in the event log, and none waits. */
async function areInLog(service: TestService, token: string): Promise<boolean> {
  const text = async (path: string) => (await service.get(path, bearer(token))).text();
  if (!(await text("/events?message=issued%20for%20user%202")).includes("user 2")) return false;
  return !/^tidegate_outbox_entries\S* [^0]/m.test(await text("/metrics"));
}

describe("the README", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  it("says what its commands print: on the embedded default, to operators, and with a location's rule set", async () => {
    using readme = new Walkthrough("README.md");
    const env = { TIDEGATE_DATA: join(readme.folder, "data"), TIDEGATE_ADMIN_TOKEN: "the-operators-credential" };
    await using service = await readme.serve(env);
    const url = service.url;
    await readme.follow("Ask it something", url, env, 10);
    // Until then, a move of a record to the log may come between two commands, and what is remembered is not fresh for a moment.
    await until(() => areInLog(service, env.TIDEGATE_ADMIN_TOKEN), "all changes are in the log");
    await readme.follow("Watch it", url, env, 4);
    await readme.follow("Who may operate it", url, env, 3);
    await readme.follow("Change it over HTTP", url, env, 8);
    await readme.follow("Event log", url, env, 5);
    expect(readme.configure("Add a rule set").trimEnd().split("\n")).toHaveLength(4);
    await readme.follow("Add a rule set", url, env, 3);
    expect(readme.configure("A place").trimEnd().split("\n")).toHaveLength(3);
    await readme.follow("A place", url, env, 6);
    await using located = await readme.serve({ ...env, TIDEGATE_CONFIG: join(readme.folder, "my.yaml") });
    expect(await (await located.get("/features?location=madrid")).text()).toBe(
      '{"active_features":["feature_1","feature_2","tapas"]}',
    );
  });

  it("says what its commands print: on Redis", async () => {
    using readme = new Walkthrough("README.md", redis);
    const env = {
      REDIS_USERS_URL: `${redis.url}/1`,
      REDIS_FEATURES_URL: `${redis.url}/1`,
      TIDEGATE_DATA: join(readme.folder, "redis-data"),
    };
    await using service = await readme.serve(env);
    await readme.follow("On Redis", service.url, env, 7);
  });
});
