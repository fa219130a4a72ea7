import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startRedis } from "../support/redis.ts";
import { bearer, type TestService } from "../support/service.ts";
import { tidegate } from "../support/tidegate.ts";
import { until } from "../support/until.ts";
import { Walkthrough } from "../support/walkthrough.ts";

/** Whether the last change of the demo is in the event log, and none waits. */
async function areInLog(service: TestService, token: string): Promise<boolean> {
  const text = async (path: string) => (await service.get(path, bearer(token))).text();
  if (!(await text("/events?message=issued%20for%20user%202")).includes("user 2")) return false;
  return !/^tidegate_outbox_entries\S* [^0]/m.test(await text("/metrics"));
}

const adminToken = "the-operators-credential";

const embedded = (page: Walkthrough): NodeJS.ProcessEnv => ({
  TIDEGATE_DATA: join(page.folder, "data"),
  TIDEGATE_ADMIN_TOKEN: adminToken,
});

describe("the printed output in", () => {
  it("README.md", async () => {
    using page = new Walkthrough("README.md");
    const env = embedded(page);
    await using service = await page.serve(env);
    await page.follow("Ask", service.url, env, 3);
    await page.follow("Change and explain", service.url, env, 6);
  });

  it("docs/tutorials/first-feature.md", async () => {
    using page = new Walkthrough("docs/tutorials/first-feature.md");
    const env = embedded(page);
    await using service = await page.serve(env);
    await page.follow("Serve the demo", service.url, env, 4);
    expect(page.configure("Add a rule set").trimEnd().split("\n")).toHaveLength(4);
    await page.follow("Add a rule set", service.url, env, 3);
    expect(page.configure("Add times").trimEnd().split("\n")).toHaveLength(3);
    await page.follow("Add times", service.url, env, 6);
    await using located = await page.serve({ ...env, TIDEGATE_CONFIG: join(page.folder, "my.yaml") });
    expect(await (await located.get("/features?location=madrid")).text()).toBe(
      '{"active_features":["feature_1","feature_2","tapas"]}',
    );
  });

  it("the how-to pages for operators", async () => {
    using demo = new Walkthrough("docs/tutorials/first-feature.md");
    const env = embedded(demo);
    await using service = await demo.serve(env);
    await demo.follow("Serve the demo", service.url, env, 4);
    // While a record moves to the log, cached data is not fresh for a moment.
    await until(() => areInLog(service, adminToken), "all changes are in the log");
    const sections = [
      ["docs/how-to/operate.md", "Watch it", 4],
      ["docs/how-to/operate.md", "Manage operators", 3],
      ["docs/how-to/change-over-http.md", "Make changes", 8],
      ["docs/how-to/events.md", "Post and read events", 5],
    ] as const;
    for (const [file, heading, commands] of sections) {
      using page = new Walkthrough(file);
      await page.follow(heading, service.url, env, commands);
    }
  });

  it("docs/how-to/redis.md", async () => {
    await using redis = await startRedis();
    using page = new Walkthrough("docs/how-to/redis.md", redis);
    const env = {
      REDIS_USERS_URL: `${redis.url}/1`,
      REDIS_FEATURES_URL: `${redis.url}/1`,
      TIDEGATE_DATA: join(page.folder, "redis-data"),
    };
    await using service = await page.serve(env);
    await page.follow("Start", service.url, env, 7);
  });

  it("docs/how-to/events.md: clients of the activity service", async () => {
    using page = new Walkthrough("docs/how-to/events.md");
    const heading = "Clients of the activity service";
    const env = { ...embedded(page), TIDEGATE_CONFIG: page.merge(heading, "config/embedded.yaml") };
    await using service = await page.serve(env);
    await page.follow(heading, new URL(service.url).origin, env, 2);
    expect((await fetch(`${new URL(service.url).origin}/features`)).status).toBe(404);
  });

  it("docs/how-to/operate.md: other keys and limits", async () => {
    await using redis = await startRedis();
    using page = new Walkthrough("docs/how-to/operate.md", redis);
    const env = {
      ...embedded(page),
      REDIS_USERS_URL: `${redis.url}/1`,
      REDIS_FEATURES_URL: `${redis.url}/1`,
      TIDEGATE_CONFIG: page.merge("Read other keys of the store", "config/tidegate.yaml"),
    };
    await using service = await page.serve(env);
    await page.follow("Read other keys of the store", service.url, env, 2);
    const { stdout } = await tidegate(
      ["validate", page.merge("Limit concurrent clients", "config/tidegate.yaml")],
      env,
    );
    expect(stdout).toMatch(/valid/);
  });

  it("README.md: a source in one file", async () => {
    const [, source = ""] = /```js\n([\s\S]*?)```/.exec(readFileSync("README.md", "utf8")) ?? [];
    using page = new Walkthrough("README.md");
    writeFileSync(join(page.folder, "weekend.mjs"), source);
    const file = join(page.folder, "weekend.yaml");
    writeFileSync(file, "sources:\n  - { name: weekend, kind: ./weekend.mjs, feature: brunch }\n");
    await using service = await page.serve({ TIDEGATE_CONFIG: file, TIDEGATE_SOURCE_FOLDERS: page.folder });
    const isWeekend = [0, 6].includes(new Date().getUTCDay());
    expect(await (await service.get("/features")).json()).toEqual({ active_features: isWeekend ? ["brunch"] : [] });
  });
});
