import type { Locator } from "playwright-core";
import { describe, expect, it } from "vitest";
import { isLive } from "../backoffice/support/browser.ts";
import { shopTests } from "../backoffice/support/shop-tests.ts";

const shop = shopTests();

const pagePath = /\/backoffice\/$/;
/** Whether the last script is loaded. */
const isLoaded = "performance.getEntriesByType('resource').some(({ name }) => /\\/chart-[^/]+\\.js$/.test(name))";

describe("the parts of the page that the first view does not need", () => {
  it("have a frame until the session is known, and a skeleton until they are loaded", async () => {
    await using window = await shop.open("marta.ibanez", { path: "inter-license.txt", isNew: true });
    const { page } = window;
    const answers = Promise.withResolvers<void>();
    const scripts = Promise.withResolvers<void>();
    await page.route(/\/admin\/v1\/session$/, (route) => answers.promise.then(() => route.continue()));
    await page.route(/\/feature-[\w-]+\.js$/, (route) => scripts.promise.then(() => route.continue()));
    await page.goto(`${shop.service.url}/backoffice/features/checkout.express-pay`);
    const loading = page.getByRole("status", { name: "Loading" });
    await loading.getByText("Tidegate").filter({ visible: true }).waitFor();
    answers.resolve();
    await page.getByRole("main").locator(".skeleton").first().waitFor();
    expect(await loading.getByText("Tidegate").count()).toBe(0);
    scripts.resolve();
    await page.getByRole("heading", { name: "checkout.express-pay", level: 1 }).waitFor();
    expect(window.faults).toEqual([]);
  });

  it("appear as soon as they are loaded", async () => {
    await using window = await shop.open("marta.ibanez", { path: "inter-license.txt", isNew: true });
    const { page } = window;
    const scripts = Promise.withResolvers<void>();
    await page.route(/\/feature-[\w-]+\.js$/, (route) => scripts.promise.then(() => route.continue()));
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60_000);
    // In 240 attempts a timer that is due at once runs, and one of 300 ms, as React's `Suspense` has, does not.
    const attempts = { interval: 250, timeout: 60_000 };
    const isShown = (locator: Locator) => async () => {
      await page.clock.runFor(1);
      return locator.isVisible();
    };
    await page.goto(`${shop.service.url}/backoffice/features/checkout.express-pay`);
    const skeleton = page.getByRole("main").locator(".skeleton").first();
    await expect.poll(isShown(skeleton), attempts).toBe(true);
    scripts.resolve();
    const heading = page.getByRole("heading", { name: "checkout.express-pay", level: 1 });
    await expect.poll(isShown(heading), attempts).toBe(true);
    expect(window.faults).toEqual([]);
  });

  it("open at once when they were loaded before", async () => {
    await using window = await shop.open("marta.ibanez", { path: "features" });
    const { page } = window;
    await expect.poll(() => page.evaluate(isLoaded)).toBe(true);
    const opens = (clicked: string, shown: string) =>
      page.evaluate<boolean>(`document.querySelector("${clicked}").click();
        Promise.resolve().then(() => document.querySelector("${shown}") !== null)`);
    expect(await opens(".sidebar a[href$='/people']", ".people h1")).toBe(true);
    await page.getByRole("link", { name: "Features" }).first().click();
    await page.getByRole("button", { name: "New feature" }).waitFor();
    expect(await opens("button[aria-label='New feature']", "dialog[open]")).toBe(true);
    expect(window.faults).toEqual([]);
  });

  it("can be loaded again after the service did not send them", async () => {
    await using window = await shop.open("marta.ibanez", { path: "inter-license.txt", isNew: true });
    const { page } = window;
    const people = /\/people-[\w-]+\.js$/;
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
    await using window = await shop.open("marta.ibanez", { path: "inter-license.txt", isNew: true });
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

  it("open while the service is away, without a change that it would refuse", async () => {
    await using window = await shop.open("marta.ibanez", { path: "features", isNew: true });
    const { page } = window;
    await expect.poll(() => page.evaluate(isLoaded)).toBe(true);
    const start = await shop.stop();
    for (const name of ["People", "Events", "System"]) {
      await page.getByRole("link", { name }).click();
      await page.getByRole("heading", { name, level: 1 }).waitFor();
    }
    await page.getByText("Tidegate is restarting or out of reach.").waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await start();
    await isLive(page);
    expect(window.faults).toEqual([]);
  });
});

describe("the numbers of a bulk change", () => {
  it("load after its dialog has opened, do not block it, and can be unknown", async () => {
    await using window = await shop.open("marta.ibanez", { path: "features?owner=Payments&sort=key" });
    const { page } = window;
    for (const key of ["payments.ledger-v2", "payments.sepa-instant"]) {
      await page.getByRole("checkbox", { name: `Select ${key}` }).click();
    }
    const dryRun = /\/changes\?dryRun=true$/;
    const counted = Promise.withResolvers<void>();
    await page.route(dryRun, (route) => counted.promise.then(() => route.continue()), { times: 1 });
    await page.getByRole("button", { name: "Kill 2…" }).click();
    const dialog = page.getByRole("dialog", { name: "Kill 2 features?" });
    await dialog.getByText("Off for everyone. Counting…").waitFor();
    expect(await dialog.getByRole("button", { name: "Kill 2 features" }).isEnabled()).toBe(true);
    counted.resolve();
    await dialog.getByText(/^Off for everyone\. Every caller loses 1 feature/).waitFor();
    await dialog.getByText("Every caller loses it now.").waitFor();
    await page.keyboard.press("Escape");
    await page.route(dryRun, (route) => route.fulfill({ status: 500 }));
    await window.reload();
    await page.getByRole("checkbox", { name: "Select payments.sepa-instant" }).click();
    await page.getByRole("button", { name: "Kill 1…" }).click();
    const uncounted = page.getByRole("dialog", { name: "Kill 1 feature?" });
    await uncounted.getByText("Off for everyone. The callers of 1 feature could not be counted.").waitFor();
    expect(await uncounted.getByRole("button", { name: "Kill 1 feature" }).isEnabled()).toBe(true);
  });
});

describe("a dialog that is open when the service goes away", () => {
  it("keeps what was typed, and can save it once the service is back", async () => {
    await using window = await shop.open("marta.ibanez", { path: "features/checkout.guest-flow" });
    const { page } = window;
    await page.getByRole("button", { name: "Edit details" }).click();
    const dialog = page.getByRole("dialog", { name: "Details of checkout.guest-flow" });
    await dialog.getByLabel("Description").fill("Buy without an account, also as a company");
    const save = dialog.getByRole("button", { name: "Save" });
    const start = await shop.stop();
    await dialog.getByText("Tidegate is out of reach. Changes are paused.").waitFor();
    expect(await save.isDisabled()).toBe(true);
    await page.keyboard.press("Enter");
    await start();
    await save.and(page.locator(":enabled")).click();
    await page.getByText("Details of checkout.guest-flow saved.").waitFor();
    await page.getByText("Buy without an account, also as a company", { exact: true }).waitFor();
    expect(window.faults).toEqual([]);
  });

  it("asks before it discards what was typed", async () => {
    await using window = await shop.open("marta.ibanez", {
      path: "features/checkout.apple-pay?kill=1",
    });
    const { page } = window;
    const dialog = page.getByRole("dialog", { name: "Kill checkout.apple-pay?" });
    const reason = dialog.getByLabel("Reason");
    await reason.fill("Payment errors");
    await page.keyboard.press("Escape");
    await dialog.getByText("Discard what you typed?").waitFor();
    await page.keyboard.press("Enter");
    await dialog.getByText("Discard what you typed?").waitFor({ state: "detached" });
    await page.keyboard.type(" in ES");
    expect(await reason.inputValue()).toBe("Payment errors in ES");
    await page.mouse.click(5, 5);
    await dialog.getByRole("button", { name: "Discard" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Kill for everyone…" }).click();
    await reason.fill("Payment errors");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Kill for everyone…" }).click();
    await dialog.waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(window.faults).toEqual([]);
  });
});

describe("while the service restarts", () => {
  it("the page shows it, pauses changes, keeps its data, and shows the changes once it is back", async () => {
    await using window = await shop.open("marta.ibanez", { path: "features" });
    const { page } = window;
    const toggle = page.getByRole("switch", { name: "On for everyone: checkout.tax-preview" });
    await toggle.waitFor();
    await isLive(page);
    const start = await shop.stop();
    await page.getByText("Tidegate is restarting or out of reach.").waitFor();
    await page.getByText(/You see the state of .* Changes are paused\./).waitFor();
    expect(await toggle.isDisabled()).toBe(true);
    expect(await page.getByText("checkout.express-pay").count()).toBeGreaterThan(0);
    await start();
    await shop.call("luca.ferri", "DELETE", "/admin/v1/sources/global/features/checkout.tax-preview");
    await page
      .getByRole("button", { name: "Try now" })
      .click({ timeout: 500 })
      .catch(() => undefined);
    await page.getByText("Connected again.").waitFor();
    await isLive(page);
    expect(await toggle.isEnabled()).toBe(true);
    await toggle.and(page.locator(":not(:checked)")).waitFor();
  });
});

describe("the message about a change", () => {
  it("stays while the pointer is on it, and the next one goes away by itself", async () => {
    await using window = await shop.open("marta.ibanez", { isNew: true });
    const { page } = window;
    await page.clock.install();
    await window.visit("features", "marta.ibanez");
    await page.getByRole("switch", { name: "On for everyone: checkout.split-bill" }).click({ force: true });
    const undo = page.getByRole("button", { name: "Undo", exact: true });
    await undo.hover();
    await page.clock.runFor(60_000);
    await undo.click();
    const undone = page.getByText("checkout.split-bill is no longer on for everyone.");
    await undone.waitFor();
    await page.mouse.move(5, 5);
    await page.clock.runFor(15_000);
    await undone.waitFor({ state: "detached" });
  });
});
