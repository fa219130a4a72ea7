import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import type { Browser, Page, Route } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { isLive, openWindow, printAfterFailure, startBrowser, type Window } from "./support/browser.ts";
import { type DemoShop, startDemoShop } from "./support/demo-shop.ts";
import { unusedName } from "./support/unused-name.ts";

let shop: DemoShop;
let browser: Browser;
let window: Window;
beforeAll(async () => {
  [shop, browser] = await Promise.all([startDemoShop({ isEmpty: true }), startBrowser()]);
  window = await openWindow(browser, shop);
});
afterEach((test) => printAfterFailure(window, test));
afterAll(async () => {
  await browser?.close();
  await shop?.[Symbol.asyncDispose]();
});

describe("the sign-in page", () => {
  it("rejects an unknown credential, then opens the requested page", async () => {
    await window.visit("events");
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

  it("shows that a broken link leads nowhere", async () => {
    await window.visit("features/%E0%A4%A?q=x", "noa.levi");
    await window.page.getByRole("heading", { name: "Nothing is here", level: 1 }).waitFor();
    await window.page.getByRole("link", { name: "Show the features" }).click();
    await window.page.getByRole("heading", { name: "Features", level: 1 }).waitFor();
  });

  it("shows that a link is used up", async () => {
    await window.visit("features#link=used");
    await window.page.getByText("This link was used before, or it has expired.").waitFor();
    expect(window.page.url()).not.toContain("link=");
  });

  it("shows the sign-in over the page when the session has ended", async () => {
    await window.visit("features?q=kept", "luca.ferri");
    const { page, context } = window;
    await page.getByText("No feature matches").waitFor();
    // An earlier request would find the session ended before anything is typed.
    const endSession = async (route: Route) => {
      await context.clearCookies();
      await route.continue();
    };
    await page.route(/search=kept(\+|%20)too/, endSession, { times: 1 });
    await page.getByRole("textbox", { name: "Filter features" }).fill("kept too");
    const dialog = page.getByRole("dialog", { name: "Your session has ended" });
    await dialog.getByLabel("Credential").fill(shop.credentials["luca.ferri"]);
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(await page.getByRole("textbox", { name: "Filter features" }).inputValue()).toBe("kept too");
  });

  it("offers the first feature to an editor", async () => {
    await using empty = await startDemoShop({ isEmpty: true });
    await using first = await openWindow(browser, empty, "marta.ibanez", { path: "features" });
    const { page } = first;
    await page.getByText("No features yet").waitFor();
    await page.getByRole("button", { name: "New feature" }).first().click();
    const dialog = page.getByRole("dialog", { name: "New feature" });
    await dialog.getByLabel("Key").fill("first.feature");
    await dialog.getByLabel("Owner").fill("Checkout");
    await dialog.getByRole("button", { name: "Create" }).click();
    await page.getByRole("heading", { name: "first.feature" }).waitFor();
    await first.visit("features", "marta.ibanez");
    await page.getByRole("link", { name: "first.feature" }).waitFor();
    await page.getByRole("button", { name: "New feature" }).first().click();
    await dialog.getByLabel("Key").fill("first.feature");
    await dialog.getByRole("button", { name: "Create" }).click();
    await dialog.getByText("first.feature exists already.").waitFor();
    // Nothing could grant such a key later.
    for (const key of ["checkout new", "<script>alert(1)</script>"]) {
      await dialog.getByLabel("Key").fill(key);
      await dialog.getByRole("button", { name: "Create" }).click();
      await dialog.getByText("Invalid key (expected 1 to 200 of").waitFor();
    }
    await page.goto(`${empty.service.url}/backoffice/features/checkout%20new`);
    await page.getByText("It cannot be created: the key is invalid").waitFor();
    expect(await page.getByRole("button", { name: "Create it" }).count()).toBe(0);
  });
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
    await window.visit("events", "noa.levi");
    const { page } = window;
    await rowOf(page, "made.by-api added for everyone").getByText("marta.ibanez").waitFor();
    await isLive(page);
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
    const feature = unusedName("pay.wallet");
    const rule = `/admin/v1/sources/percentage/rules/${feature}`;
    await shop.call("luca.ferri", "PUT", rule, { percentage: 5 });
    await shop.call("luca.ferri", "PUT", rule, { percentage: 10 });
    await window.visit(`events?feature=${feature}`, "marta.ibanez");
    const { page } = window;
    const raised = rowOf(page, `Share of ${feature} 5 % to 10 %`);
    await raised.getByRole("button").click();
    await raised.getByText('"percentage": 5').waitFor();
    await raised.getByText("No later change.").waitFor();
    await raised.getByRole("button", { name: "Revert…" }).click();
    const dialog = page.getByRole("dialog", { name: "Revert this change?" });
    await dialog.getByLabel("Reason").fill("too early");
    await dialog.getByRole("button", { name: "Revert", exact: true }).click();
    await page.getByText("1 change reverted.").waitFor();
    expect(await shareOf(feature)).toBe(5);
    await rowOf(page, "“too early”").getByText("Reverts an earlier change").waitFor();
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await page.getByText("1 change back as before.").waitFor();
    expect(await shareOf(feature)).toBe(10);

    await shop.call("jonas.weber", "PUT", rule, { percentage: 40 });
    const last = rowOf(page, `Share of ${feature} 5 % to 10 %`).filter({ hasText: "marta.ibanez" });
    await last.getByRole("button").click();
    await last.getByText(/Changed again by jonas\.weber/).waitFor();
    await last.getByRole("button", { name: "Revert both…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revert both", exact: true }).click();
    await page.getByText("2 changes reverted.").waitFor();
    expect(await shareOf(feature)).toBe(5);
    await rowOf(page, `Share of ${feature} 10 % to 40 %`).getByRole("button").click();
    await page.getByText("Reverted already.").first().waitFor();
    expect(window.faults).toEqual([]);
  });
});

describe("the page of the system", () => {
  it("shows figures, sources, stores and the configuration", async () => {
    await window.visit("system", "noa.levi");
    const { page } = window;
    await page.getByText("Results are fresh: 7 sources and 1 store without a fault.").waitFor();
    const figures = page.getByRole("list", { name: "Figures" });
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
    await window.visit("system", "sofia.admin");
    const { page } = window;
    const system = (await shop.call("noa.levi", "GET", "/admin/v1/system")) as { configuration: { file: string } };
    const { file } = system.configuration;
    const nonsense = "  - { name: offers, kind: nonsense }\n";
    // A failed run of this test leaves it in the file.
    const before = readFileSync(file, "utf8").replace(nonsense, "");
    writeFileSync(file, before);
    const source = unusedName("offers");
    await page.getByRole("button", { name: "Reload…" }).click();
    const dialog = page.getByRole("dialog", { name: "Reload the configuration?" });
    await dialog.getByText("The file is as it was loaded.").waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    appendFileSync(file, nonsense);
    await page.getByRole("button", { name: "Reload…" }).click();
    await dialog.getByText(/nonsense/).waitFor();
    expect(await dialog.getByRole("button", { name: "Reload", exact: true }).isDisabled()).toBe(true);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    writeFileSync(file, `${before}  - { name: ${source}, kind: set, connection: store, key: ${source} }\n`);
    await page.getByRole("button", { name: "Reload…" }).click();
    await dialog.getByText(source).waitFor();
    // It can be reloaded again while the page still reads what changed.
    const reread = Promise.withResolvers<void>();
    let reloads = 0;
    onTestFinished(() => reread.resolve());
    await page.route("**/admin/v1/**", async (route) => {
      const request = route.request();
      if (request.method() === "GET") await reread.promise;
      else if (request.url().includes("dryRun=false")) reloads += 1;
      await route.continue();
    });
    await dialog.getByRole("button", { name: "Reload", exact: true }).click();
    await page.getByText("The configuration was reloaded.").waitFor();
    await page.getByRole("button", { name: "Reload…" }).click();
    await dialog.getByText("The file is as it was loaded.").waitFor();
    await dialog.getByRole("button", { name: "Reload", exact: true }).click();
    await expect.poll(() => reloads).toBe(2);
    reread.resolve();
    await page.getByRole("region", { name: "Sources" }).getByRole("row", { name: source }).waitFor();
    expect(window.faults).toEqual([]);
  });
});
