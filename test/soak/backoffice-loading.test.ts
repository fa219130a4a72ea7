import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWindow, startBrowser } from "../backoffice/support/browser.ts";
import { type DemoShop, startDemoShop } from "../backoffice/support/demo-shop.ts";

let shop: DemoShop;
let browser: Browser;
beforeAll(async () => {
  [shop, browser] = await Promise.all([startDemoShop(), startBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await shop?.[Symbol.asyncDispose]();
});

const pagePath = /\/backoffice\/$/;

describe("the parts of the page that the first view does not need", () => {
  it("can be loaded again after the service did not send them", async () => {
    await using window = await openWindow(browser, shop, "marta.ibanez", { path: "inter-license.txt" });
    const { page } = window;
    const people = /\/people-page-[\w-]+\.js$/;
    await page.route(people, (route) => route.abort());
    await page.route(pagePath, (route) => route.abort());
    await page.goto(`${shop.service.url}/backoffice/features`);
    await page.getByRole("link", { name: "People" }).click();
    await page.getByText("This part of the page is not loaded yet").waitFor();
    await page.getByRole("button", { name: "Retry" }).click();
    await page.getByText("Tidegate is still out of reach, after 1 attempt.").waitFor();
    await page.unrouteAll();
    await page.getByRole("button", { name: "Retry" }).click();
    await page.getByRole("heading", { name: "People", level: 1 }).waitFor();
    expect(window.faults).toEqual([]);
  });

  it("are those of the new version once the page is reloaded after an update", async () => {
    await using window = await openWindow(browser, shop, "marta.ibanez", { path: "inter-license.txt" });
    const { page } = window;
    await page.route(pagePath, (route) =>
      route.fulfill({
        contentType: "text/html",
        body: '<script type="module" src="/backoffice/assets/new.js"></script>',
      }),
    );
    await page.goto(`${shop.service.url}/backoffice/features`);
    await page.getByText("Tidegate was updated.").waitFor();
    await page.unrouteAll();
    await page.getByRole("button", { name: "Reload" }).click();
    await page.getByRole("link", { name: "checkout.express-pay" }).waitFor();
    expect(await page.getByText("Tidegate was updated.").count()).toBe(0);
  });

  it("open while the service is away", async () => {
    await using window = await openWindow(browser, shop, "marta.ibanez", { path: "features" });
    const { page } = window;
    const isLoaded = "performance.getEntriesByType('resource').some(({ name }) => /\\/chart-[^/]+\\.js$/.test(name))";
    await expect.poll(() => page.evaluate(isLoaded), { timeout: 20_000 }).toBe(true);
    const start = await shop.stop();
    for (const name of ["People", "Events", "System"]) {
      await page.getByRole("link", { name }).click();
      await page.getByRole("heading", { name, level: 1 }).waitFor();
    }
    await page.getByText("Tidegate is restarting or out of reach.").waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await start();
    expect(window.faults).toEqual([]);
  });
});
