import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { isLive, openWindow, printAfterFailure, startBrowser, type Window } from "./support/browser.ts";
import { type DemoShop, startDemoShop } from "./support/demo-shop.ts";

let shop: DemoShop;
let browser: Browser;
let window: Window;
beforeAll(async () => {
  [shop, browser] = await Promise.all([startDemoShop(), startBrowser({ hasScrollbars: true })]);
  window = await openWindow(browser, shop);
});
afterEach((test) => printAfterFailure(window, test));
afterAll(async () => {
  await browser?.close();
  await shop?.[Symbol.asyncDispose]();
});

/** The row of a feature. */
const row = (page: Page, key: string) =>
  page.getByRole("row").filter({ has: page.getByRole("link", { name: key, exact: true }) });

const features = async () =>
  ((await (await shop.service.get("/features")).json()) as { active_features: string[] }).active_features;

/** Removes a feature from a list, which an earlier attempt of a test may have left in it. */
const removed = (list: "killed" | "sources/global/features", feature: string) =>
  shop.call("marta.ibanez", "DELETE", `/admin/v1/${list}/${feature}`);

describe("the page of features", () => {
  it("shows the state of each feature, where it is on, and how many have each state", async () => {
    await window.visit("features", "marta.ibanez");
    const { page } = window;
    const express = row(page, "checkout.express-pay");
    await express.getByText("On for some").waitFor();
    for (const text of ["120", "es +2", "25 %", "Checkout"]) await express.getByText(text).first().waitFor();
    await row(page, "checkout.cart-recovery").getByText("Held by gate").waitFor();
    await page.getByRole("button", { name: /^Killed 1$/ }).click();
    await row(page, "checkout.address-autocomplete")
      .getByRole("button", { name: /^Undo kill/ })
      .waitFor();
    // The row of the killed feature is in the list before it is filtered, too.
    await row(page, "checkout.express-pay").waitFor({ state: "detached" });
    expect(new URL(page.url()).search).toBe("?state=killed");
    expect(window.faults).toEqual([]);
  });

  it("has each heading above its column, also beside a scrollbar", async () => {
    await window.visit("features", "marta.ibanez");
    const { page } = window;
    // The sources, which are read after the rows, add a column.
    await row(page, "checkout.express-pay").getByRole("switch").waitFor();
    const edges = (of: string) =>
      page.locator(of).evaluateAll((cells) => cells.map((cell) => cell.getBoundingClientRect().left));
    expect(await edges(".feature-row:first-child .feature-cell")).toEqual(await edges(".feature-table-head > *"));
    const { clientWidth, offsetWidth } = await page
      .locator(".feature-table-body")
      .evaluate(({ clientWidth, offsetWidth }) => ({ clientWidth, offsetWidth }));
    expect(clientWidth).toBeLessThan(offsetWidth);
  });

  it("filters by text, owner and tag, in the address too", async () => {
    await window.visit("features?owner=Payments&q=ledger", "noa.levi");
    const { page } = window;
    await row(page, "payments.ledger-v2").waitFor();
    expect(await row(page, "payments.sepa-instant").count()).toBe(0);
    await page.getByRole("textbox", { name: "Filter features" }).fill("sepa");
    await row(page, "payments.sepa-instant").waitFor();
    await page.getByRole("textbox", { name: "Filter features" }).fill("nothing like it");
    await page.getByText("No feature matches").waitFor();
    await page.getByRole("button", { name: "Clear filters" }).first().click();
    await row(page, "checkout.express-pay").waitFor();
    expect(new URL(page.url()).search).toBe("");
  });

  it("switches a feature on for everyone, as clients and a second window see at once, and undoes it", async () => {
    await removed("sources/global/features", "checkout.split-bill");
    await window.visit("features", "marta.ibanez");
    await using second = await openWindow(browser, shop, "luca.ferri", { path: "features" });
    const name = "On for everyone: checkout.split-bill";
    const switchIn = (page: Page, checked = false) => page.getByRole("switch", { name, checked });
    await switchIn(second.page).waitFor();
    await isLive(second.page);
    await switchIn(window.page).click({ force: true });
    // The message with the button Undo stays while the pointer is over it.
    await window.page.getByText("checkout.split-bill is on for everyone.").hover();
    expect(await features()).toContain("checkout.split-bill");
    await switchIn(second.page, true).waitFor();
    await row(second.page, "checkout.split-bill").getByText("marta.ibanez").waitFor();
    await window.page.getByRole("button", { name: "Undo", exact: true }).click();
    await window.page.getByText("checkout.split-bill is no longer on for everyone.").waitFor();
    expect(await features()).not.toContain("checkout.split-bill");
    await switchIn(second.page).waitFor();
    expect([...window.faults, ...second.faults]).toEqual([]);
  });

  it("kills a feature after it has shown who loses it, and undo restores the previous state", async () => {
    await removed("killed", "checkout.guest-flow");
    await window.visit("features", "marta.ibanez");
    const { page } = window;
    await row(page, "checkout.guest-flow").getByRole("button", { name: "Kill checkout.guest-flow" }).click();
    const dialog = page.getByRole("dialog", { name: "Kill checkout.guest-flow?" });
    await dialog.getByText("Every caller loses it now.").waitFor();
    // Enter alone must not kill.
    await dialog.getByRole("textbox", { name: /Reason/ }).press("Enter");
    expect(await features()).toContain("checkout.guest-flow");
    await dialog.getByRole("textbox", { name: /Reason/ }).fill("incident 2481");
    let waiting = "";
    await page.route("**/killed/*", async (route) => {
      const response = await route.fetch();
      await row(page, "checkout.guest-flow").getByText("Killed", { exact: true }).waitFor();
      waiting = await dialog.innerText();
      await route.fulfill({ response });
    });
    const asked: string[] = [];
    await dialog.getByRole("button", { name: "Kill for everyone" }).click();
    page.on("request", (request) => asked.push(request.url()));
    await page.getByText("Killed checkout.guest-flow. It is off for everyone.").waitFor();
    // The kill is no change of what it takes away, which stays as it was asked.
    expect(waiting).toMatch(/Every caller loses it now\.[\s\S]*Waiting for confirmation…/);
    expect(asked.filter((url) => url.includes("/impact"))).toEqual([]);
    await page.unroute("**/killed/*");
    expect(await features()).not.toContain("checkout.guest-flow");
    await row(page, "checkout.guest-flow").getByText("Killed", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await page.getByText("checkout.guest-flow is back exactly as it was.").waitFor();
    expect(await features()).toContain("checkout.guest-flow");
    const events = (await shop.call("noa.levi", "GET", "/events?feature=checkout.guest-flow&limit=5")) as {
      events?: { data: { note?: string } }[];
    };
    expect(JSON.stringify(events)).toContain("incident 2481");
    expect(window.faults).toEqual([]);
  });

  it("shows how many of its users lose a feature", async () => {
    await window.visit("features?kill=checkout.express-pay", "marta.ibanez");
    await window.page.getByText("120 users, 3 locations and 25 % of other callers lose it now.").waitFor();
    await window.page.keyboard.press("Escape");
    await until(() => new URL(window.page.url()).search === "", "the dialog is closed");
  });

  it("changes many features, shows the skipped one, and undoes the others", async () => {
    await removed("sources/global/features", "payments.ledger-v2");
    await window.visit("features?sort=key", "luca.ferri");
    const { page } = window;
    for (const key of ["checkout.address-autocomplete", "payments.ledger-v2", "payments.sepa-instant"]) {
      await page.getByRole("checkbox", { name: `Select ${key}` }).click();
    }
    await page.getByText("3 selected").waitFor();
    await page.getByRole("button", { name: "On for everyone…" }).click();
    const asking = page.getByRole("dialog", { name: "Switch 2 of 3 features on for everyone?" });
    await asking.getByText("Every caller gains 1 feature now.").waitFor();
    await asking.getByText("checkout.address-autocomplete is killed and skipped.").waitFor();
    expect(await features()).not.toContain("payments.ledger-v2");
    await asking.getByRole("button", { name: "Switch 2 of 3 features on for everyone" }).click();
    const dialog = page.getByRole("dialog", { name: "On for everyone: 1 of 3 changed" });
    await dialog.getByText("1 was so already. 1 is killed and was skipped.").waitFor();
    await dialog.getByText("Killed. Undo the kill first, then switch it.").waitFor();
    expect(await dialog.getByRole("button", { name: /^Retry/ }).count()).toBe(0);
    expect(await features()).toContain("payments.ledger-v2");
    await dialog.getByRole("button", { name: "Undo the change" }).click();
    await page.getByRole("dialog", { name: "Undo: 1 of 1 changed" }).waitFor();
    expect(await features()).not.toContain("payments.ledger-v2");
    expect(await features()).toContain("payments.sepa-instant");
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: "Off for everyone…" }).click();
    const off = page.getByRole("dialog", { name: "Switch 2 of 3 features off for everyone?" });
    await off.getByText("Every caller without a grant of their own loses 1 feature now.").waitFor();
    await off.getByRole("button", { name: "Cancel" }).click();
    expect(await features()).toContain("payments.sepa-instant");
    expect(window.faults).toEqual([]);
  });

  it("closes an open dialog by the browser's Back, and goes back no further", async () => {
    await window.visit("features?sort=key", "marta.ibanez");
    const { page } = window;
    const dialog = page.getByRole("dialog");
    const hasEntry = (expected: boolean) =>
      until(
        () => page.evaluate<boolean>(`(history.state?.isLayer === true) === ${expected}`),
        `the history has ${expected ? "the" : "no"} entry of a dialog`,
      );
    await page.getByRole("link", { name: "checkout.guest-flow" }).click();
    const heading = page.getByRole("heading", { name: "checkout.guest-flow", level: 1 });
    // The address has this one, and nothing has the other one.
    for (const name of ["Kill for everyone…", "Edit details"]) {
      await page.getByRole("button", { name }).click();
      await dialog.waitFor();
      await hasEntry(true);
      await page.goBack();
      await dialog.waitFor({ state: "detached" });
      await hasEntry(false);
      await page.getByRole("button", { name }).click();
      await dialog.getByRole("button", { name: "Cancel" }).click();
      await dialog.waitFor({ state: "detached" });
      await hasEntry(false);
    }
    expect(new URL(page.url()).search).toBe("");
    await heading.waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: "Features", level: 1 }).waitFor();
    expect(new URL(page.url()).search).toBe("?sort=key");
  });

  it("shows a viewer no control that would be rejected", async () => {
    await window.visit("features", "noa.levi");
    const { page } = window;
    await row(page, "checkout.apple-pay").getByText("Yes").waitFor();
    expect(await page.getByRole("switch").count()).toBe(0);
    expect(await page.getByRole("checkbox").count()).toBe(0);
    expect(await page.getByRole("button", { name: /^(Kill|Undo kill) .*\.|New feature/ }).count()).toBe(0);
    await page.getByText("Viewer, read-only").waitFor();
  });

  it("shows a feature that is named like a script as text", async () => {
    const name = "<img src=x onerror=alert(1)>";
    await shop.call("marta.ibanez", "PUT", `/admin/v1/catalogue/${encodeURIComponent("xss/probe")}`, {
      description: name,
      owner: name,
      tags: ["<b>"],
    });
    await window.visit("features?q=xss", "marta.ibanez");
    await row(window.page, "xss/probe").getByText(name).first().waitFor();
    expect(await window.page.locator("main img").count()).toBe(0);
    expect(window.faults).toEqual([]);
  });

  it("works by keyboard", async () => {
    await window.visit("features?owner=Search&sort=key", "marta.ibanez");
    const { page } = window;
    await row(page, "search.typo-tolerance").waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await until(
      async () => (await page.evaluate("document.activeElement.textContent")) === "search.typo-tolerance",
      "the second row has the focus",
    );
    await page.keyboard.press("x");
    await page.getByText("1 selected").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Shift+K");
    await page.getByRole("dialog", { name: "Kill search.typo-tolerance?" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("/");
    expect(
      await page
        .getByRole("textbox", { name: "Filter features" })
        .evaluate((field) => field === field.ownerDocument.activeElement),
    ).toBe(true);
  });
});
