import type { Browser, Page } from "playwright-core";
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

const rowOf = (page: Page, text: string) => page.getByRole("listitem").filter({ hasText: text });

const shareOf = async (feature: string) =>
  (
    (await shop.call("noa.levi", "GET", `/admin/v1/sources/percentage/rules/${feature}`)) as {
      rule: { percentage: number };
    }
  ).rule.percentage;

describe("the page of events", () => {
  it("shows what others change, without reloading", async () => {
    await shop.call("marta.ibanez", "PUT", "/admin/v1/sources/global/features/made.by-api");
    await using window = await openWindow(browser, shop, "noa.levi", { path: "events" });
    const { page } = window;
    await rowOf(page, "made.by-api added for everyone").getByText("marta.ibanez").waitFor();
    await page.getByText("Live", { exact: true }).first().waitFor();
    await shop.call("luca.ferri", "PUT", "/admin/v1/sources/global/features/made.meanwhile");
    const made = rowOf(page, "made.meanwhile added for everyone");
    await made.getByText("luca.ferri").waitFor();
    // A viewer reads the change, and cannot revert it.
    await made.getByRole("button").click();
    await made.getByText("+").waitFor();
    expect(await made.getByRole("button", { name: /Revert/ }).count()).toBe(0);
    expect(window.faults).toEqual([]);
  });

  it("reverts a change after it has shown both sides, undoes that, and offers to revert both of a conflict", async () => {
    const rule = "/admin/v1/sources/percentage/rules/pay.wallet";
    await shop.call("luca.ferri", "PUT", rule, { percentage: 5 });
    await shop.call("luca.ferri", "PUT", rule, { percentage: 10 });
    await using window = await openWindow(browser, shop, "marta.ibanez", { path: "events?feature=pay.wallet" });
    const { page } = window;
    const raised = rowOf(page, "Share of pay.wallet set to 10 %");
    await raised.getByRole("button").click();
    await raised.getByText('"percentage": 5').waitFor();
    await raised.getByText("No later change.").waitFor();
    await raised.getByRole("button", { name: "Revert…" }).click();
    const dialog = page.getByRole("dialog", { name: "Revert this change?" });
    await dialog.getByLabel("Reason").fill("too early");
    await dialog.getByRole("button", { name: "Revert", exact: true }).click();
    await page.getByText("1 change reverted.").waitFor();
    expect(await shareOf("pay.wallet")).toBe(5);
    await rowOf(page, "“too early”").getByText("Reverts an earlier change").waitFor();
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await page.getByText("1 change back as before.").waitFor();
    expect(await shareOf("pay.wallet")).toBe(10);

    await shop.call("jonas.weber", "PUT", rule, { percentage: 40 });
    const last = rowOf(page, "Share of pay.wallet set to 10 %").filter({ hasText: "marta.ibanez" });
    await last.getByRole("button").click();
    await last.getByText(/Changed again by jonas\.weber/).waitFor();
    await last.getByRole("button", { name: "Revert both…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revert both", exact: true }).click();
    await page.getByText("2 changes reverted.").waitFor();
    expect(await shareOf("pay.wallet")).toBe(5);
    expect(window.faults).toEqual([]);
  });
});
