import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chromiumCommand } from "../support/chromium.ts";
import { ExamplePages } from "../support/example-pages.ts";
import { emptied, type RedisServer, startRedis } from "../support/redis.ts";
import { redisRules, settled, startService, type TestService } from "../support/service.ts";

describe.skipIf(chromiumCommand === undefined)("the pages of examples, in Chromium", () => {
  let redis: RedisServer;
  let service: TestService;
  let pages: ExamplePages;
  beforeAll(async () => {
    redis = await startRedis();
    service = await startService(redisRules(redis.url, redis.url));
    await service.readyWithin(20_000);
    pages = await ExamplePages.start(service.url);
  });
  afterAll(async () => {
    await pages[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await emptied(redis.client);
    await redis.client.sadd("global_features", "new_menu");
    await settled(redis.client, service);
  });

  const items = (page: Page) => page.locator("li").allTextContents();
  const paragraph = (page: Page) => page.locator("p").allTextContents();

  it.each([
    ["event-source", items, ["new_menu"], []],
    ["openfeature-web", items, expect.arrayContaining(["new_menu is on"]), expect.arrayContaining(["new_menu is off"])],
    ["openfeature-react", paragraph, ["The new menu"], ["The old menu"]],
  ])("%s shows a feature go off and on after SREM and SADD", async (name, shown, on, off) => {
    const page = await pages.open(name);
    await expect.poll(() => shown(page), { timeout: 60_000 }).toEqual(on);
    await redis.client.srem("global_features", "new_menu");
    await expect.poll(() => shown(page), { timeout: 60_000 }).toEqual(off);
    await redis.client.sadd("global_features", "new_menu");
    await expect.poll(() => shown(page), { timeout: 60_000 }).toEqual(on);
    await page.close();
  });
});
