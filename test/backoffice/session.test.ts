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

describe("the sign-in page", () => {
  it("rejects an unknown credential, then opens the requested page", async () => {
    await using window = await openWindow(browser, shop, undefined, { path: "events" });
    const { page } = window;
    await page.getByLabel("Credential").fill("not-a-credential");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("This credential is unknown or was revoked. Ask an admin for a new one.").waitFor();
    await page.getByLabel("Credential").fill(shop.credentials["marta.ibanez"]);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Events", level: 1 }).waitFor();
    // The secret is in no place that scripts or the history can read.
    const kept = await page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])");
    expect(kept).not.toContain(shop.credentials["marta.ibanez"]);
    await page
      .getByRole("button", { name: /marta\.ibanez/ })
      .first()
      .click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByLabel("Credential").waitFor();
    expect(window.faults).toEqual([]);
  });

  it("shows that a link is used up", async () => {
    await using window = await openWindow(browser, shop, undefined, { path: "features#link=used" });
    await window.page.getByText("This link was used before, or it has expired.").waitFor();
    expect(window.page.url()).not.toContain("link=");
  });

  it("shows the sign-in over the page when the session has ended", async () => {
    await using window = await openWindow(browser, shop, "luca.ferri", { path: "features?q=kept" });
    const { page, context } = window;
    await page.getByText("No feature matches").waitFor();
    await context.clearCookies();
    await page.getByRole("textbox", { name: "Filter features" }).fill("kept too");
    const dialog = page.getByRole("dialog", { name: "Your session has ended" });
    await dialog.getByLabel("Credential").fill(shop.credentials["luca.ferri"]);
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(await page.getByRole("textbox", { name: "Filter features" }).inputValue()).toBe("kept too");
  });

  it("offers the first feature to an editor", async () => {
    await using window = await openWindow(browser, shop, "marta.ibanez", { path: "features" });
    const { page } = window;
    await page.getByText("No features yet").waitFor();
    await page.getByRole("button", { name: "New feature" }).first().click();
    const dialog = page.getByRole("dialog", { name: "New feature" });
    await dialog.getByLabel("Key").fill("first.feature");
    await dialog.getByLabel("Owner").fill("Checkout");
    await dialog.getByRole("button", { name: "Create" }).click();
    await page.getByRole("heading", { name: "first.feature" }).waitFor();
    await page.goto(`${shop.service.url}/backoffice/features`);
    await page.getByRole("link", { name: "first.feature" }).waitFor();
    await page.getByRole("button", { name: "New feature" }).first().click();
    await dialog.getByLabel("Key").fill("first.feature");
    await dialog.getByRole("button", { name: "Create" }).click();
    await dialog.getByText("first.feature exists already.").waitFor();
  });
});
