import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWindow, startBrowser } from "./support/browser.ts";
import { type DemoShop, startDemoShop } from "./support/demo-shop.ts";

let shop: DemoShop;
let browser: Browser;
beforeAll(async () => {
  [shop, browser] = await Promise.all([startDemoShop({ isEmpty: true }), startBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await shop?.[Symbol.asyncDispose]();
});

describe("the page of the system", () => {
  it("shows figures, sources, stores and the configuration", async () => {
    await using window = await openWindow(browser, shop, "noa.levi", { path: "system" });
    const { page } = window;
    await page.getByText("Results are fresh: 7 sources and 1 store without a fault.").waitFor();
    const figures = page.getByRole("list", { name: "Figures of the last minute" });
    for (const name of ["Requests", "Latency p99", "Cache hits", "Open streams", "Outbox backlog"]) {
      await figures.getByText(name, { exact: true }).waitFor();
    }
    const gate = page.getByRole("region", { name: "Sources" }).getByRole("row", { name: /^active/ });
    await gate.getByText("fresh").waitFor();
    await page
      .getByRole("region", { name: "Stores" })
      .getByRole("row", { name: /^store, SQLite/ })
      .waitFor();
    await page.getByRole("region", { name: "Text of the configuration" }).getByText("global_features").waitFor();
    // A viewer cannot reload it.
    expect(await page.getByRole("button", { name: "Reload…" }).count()).toBe(0);
    expect(window.faults).toEqual([]);
  });

  it("shows the changes of a reload, then reloads the configuration", async () => {
    await using window = await openWindow(browser, shop, "sofia.admin", { path: "system" });
    const { page } = window;
    const system = (await shop.call("noa.levi", "GET", "/admin/v1/system")) as { configuration: { file: string } };
    const { file } = system.configuration;
    const before = readFileSync(file, "utf8");
    await page.getByRole("button", { name: "Reload…" }).click();
    const dialog = page.getByRole("dialog", { name: "Reload the configuration?" });
    await dialog.getByText("The file is as it was loaded.").waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    appendFileSync(file, "  - { name: offers, kind: nonsense }\n");
    await page.getByRole("button", { name: "Reload…" }).click();
    await dialog.getByText(/nonsense/).waitFor();
    expect(await dialog.getByRole("button", { name: "Reload", exact: true }).isDisabled()).toBe(true);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    writeFileSync(file, `${before}  - { name: offers, kind: set, connection: store, key: offers }\n`);
    await page.getByRole("button", { name: "Reload…" }).click();
    await dialog.getByText("offers").waitFor();
    await dialog.getByRole("button", { name: "Reload", exact: true }).click();
    await page.getByText("The configuration was reloaded.").waitFor();
    await page
      .getByRole("region", { name: "Sources" })
      .getByRole("row", { name: /^offers/ })
      .waitFor();
    expect(window.faults).toEqual([]);
  });
});
