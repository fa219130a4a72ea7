import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ExamplePages } from "../support/example-pages.ts";
import { emptied, type RedisServer, startRedis } from "../support/redis.ts";
import { redisRules, settled, startService, type TestService } from "../support/service.ts";

describe("the pages of examples, in Chromium", () => {
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

  /**
   * Expects a page to show something. After a change, version 0.4.3 of the OpenFeature provider does not repeat an
   * evaluation that fails, as it may on a busy machine, before the next change: there is one every 10 s.
   */
  async function expectShown(shown: () => Promise<string[]>, wanted: unknown): Promise<void> {
    for (let left = 5; ; left--) {
      try {
        return await expect.poll(shown, { timeout: 10_000 }).toEqual(wanted);
      } catch (error) {
        if (left === 0) throw error;
        await settled(redis.client, service);
      }
    }
  }

  it.each([
    ["event-source", items, ["new_menu"], []],
    ["openfeature-web", items, expect.arrayContaining(["new_menu is on"]), expect.arrayContaining(["new_menu is off"])],
    ["openfeature-react", paragraph, ["The new menu"], ["The old menu"]],
  ])("%s shows a feature go off and on after SREM and SADD", async (name, shown, on, off) => {
    const page = await pages.open(name);
    await expectShown(() => shown(page), on);
    await redis.client.srem("global_features", "new_menu");
    await expectShown(() => shown(page), off);
    await redis.client.sadd("global_features", "new_menu");
    await expectShown(() => shown(page), on);
    await page.close();
  });
});
