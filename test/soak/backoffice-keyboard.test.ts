import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { shopTests } from "../backoffice/support/shop-tests.ts";
import { until } from "../support/until.ts";

const shop = shopTests();

const features = async () =>
  ((await (await shop.service.get("/features")).json()) as { active_features: string[] }).active_features;

const focused = (page: Page) =>
  page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent");

/** Presses Tab until something has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if ((await focused(page)) === name) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach "${name}"`);
}

/** The command bar is loaded when it is first opened, and takes no keys before it has the focus. */
async function openCommandBar(page: Page): Promise<void> {
  await page.keyboard.press("Control+k");
  await page
    .getByRole("combobox", { name: /^Search features and users/ })
    .and(page.locator(":focus"))
    .waitFor();
}

describe("without a mouse", () => {
  it("a feature is found, switched, killed, and put back by undo", async () => {
    const key = "checkout.split-bill";
    // A repeated test finds what its first run left.
    for (const list of ["killed", "sources/global/features"]) {
      await shop.call("marta.ibanez", "DELETE", `/admin/v1/${list}/${key}`);
    }
    await using window = await shop.open("marta.ibanez", { path: "people" });
    const { page } = window;
    await page.getByRole("heading", { level: 1 }).waitFor();
    await openCommandBar(page);
    await page.keyboard.type("split-bill");
    const bar = page.getByRole("dialog", { name: "Command bar" });
    const option = bar.getByRole("option", { name: new RegExp(`^${key}`), selected: true });
    const [field, choice] = [await bar.getByRole("combobox").boundingBox(), await option.boundingBox()];
    expect(choice?.y).toBeGreaterThanOrEqual((field?.y ?? 0) + (field?.height ?? 0));
    expect(choice?.width).toBeGreaterThan(500);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: key }).waitFor();

    await page.getByRole("switch", { name: `On for everyone: ${key}` }).waitFor();
    await tabTo(page, `On for everyone: ${key}`);
    await page.keyboard.press("Space");
    await page.getByText(`${key} is on for everyone.`).waitFor();
    expect(await features()).toContain(key);

    await openCommandBar(page);
    await page.keyboard.type("> kill split-bill");
    await page.getByRole("option", { name: `Kill ${key}`, selected: true }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: `Kill ${key}?` }).waitFor();
    await page.keyboard.type("incident 7");
    await page.keyboard.press("Control+Enter");
    await page.getByText(`Killed ${key}. It is off for everyone.`).waitFor();
    expect(await features()).not.toContain(key);

    // The focus has left the fields, so single keys act.
    await page.keyboard.press("u");
    await page.getByText(`${key} is back exactly as it was.`).waitFor();
    expect(await features()).toContain(key);
    expect(window.faults).toEqual([]);
  });
});

describe("on a phone", () => {
  it("the state and the kill switch of a feature stay in view, in a line", async () => {
    const phone = { viewport: { width: 390, height: 844 }, hasTouch: true };
    await using window = await shop.open("luca.ferri", { path: "features/checkout.express-pay", ...phone });
    const { page } = window;
    await page.getByRole("heading", { name: "Recent changes" }).scrollIntoViewIfNeeded();
    const bar = page.getByRole("region", { name: "State and kill switch" });
    await bar.getByText("On for some").waitFor();
    const [box, scrolled] = [await bar.boundingBox(), await page.locator(".page:has(.decision-bar)").boundingBox()];
    expect(box?.height).toBeLessThanOrEqual(64);
    expect(box?.y).toBe(scrolled?.y);
    await bar.getByRole("button", { name: "Kill for everyone…" }).tap();
    await page.getByRole("dialog", { name: "Kill checkout.express-pay?" }).waitFor();
    expect(window.faults).toEqual([]);
  });

  it("features are selected and killed together, after the sum of their losses was shown", async () => {
    await using window = await shop.open("luca.ferri", {
      path: "features?owner=Payments&sort=key",
      viewport: { width: 390, height: 844 },
      hasTouch: true,
    });
    const { page } = window;
    const keys = ["payments.ledger-v2", "payments.sepa-instant"];
    await page.getByRole("button", { name: "Select features" }).tap();
    for (const key of keys) await page.getByRole("checkbox", { name: `Select ${key}` }).tap();
    await page.getByText("2 selected").waitFor();
    const bar = page.getByRole("region", { name: "Actions for the selection" });
    expect((await bar.boundingBox())?.height).toBeLessThanOrEqual(64);
    await bar.getByRole("button", { name: "More" }).tap();
    for (const name of ["On for everyone…", "Off for everyone…", "Tags and owner"]) {
      await bar.getByRole("menuitem", { name }).waitFor();
    }
    await page.keyboard.press("Escape");
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    await page.getByRole("button", { name: "Kill 2…" }).tap();
    const dialog = page.getByRole("dialog", { name: "Kill 2 features?" });
    await dialog.getByText(/^Off for everyone\. Every caller loses 1 feature/).waitFor();
    for (const key of keys) await dialog.getByText(key).waitFor();
    await dialog.getByRole("button", { name: /^Kill 2/ }).tap();
    const result = page.getByRole("dialog", { name: "Kill: 2 of 2 changed" });
    await result.getByRole("button", { name: "Undo the 2 changes" }).tap();
    await page.getByRole("dialog", { name: "Undo: 2 of 2 changed" }).getByRole("button", { name: "Done" }).tap();
    await page.getByRole("button", { name: "Clear selection" }).tap();
    await until(async () => (await page.getByText("2 selected").count()) === 0, "nothing is selected");
    expect(window.faults).toEqual([]);
  });
});
