import type { Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { insecureHost, isLive, type Window } from "../backoffice/support/browser.ts";
import { shopTests } from "../backoffice/support/shop-tests.ts";
import { unusedName } from "../backoffice/support/unused-name.ts";
import { until } from "../support/until.ts";

const shop = shopTests({ isEmpty: true });
let window: Window;
beforeAll(async () => {
  window = await shop.open();
});

describe("the windows of a session", () => {
  it.each([
    ["on this machine", "127.0.0.1"],
    ["over plain HTTP to another host, without locks", insecureHost],
  ])("keep one stream for all that are visible, %s", async (_, host) => {
    const page = `${shop.service.url.replace(/(?<=\/\/)[^:]+/, host)}/backoffice/events`;
    await window.visit("events");
    const { page: first, context } = window;
    await first.goto(page);
    await first.getByLabel("Credential").fill(shop.credentials["luca.ferri"]);
    await first.getByRole("button", { name: "Sign in" }).click();
    const hasLocks = host !== insecureHost;
    expect(await first.evaluate("isSecureContext")).toBe(hasLocks);
    await isLive(first);
    const streams: Page[] = [];
    context.on("request", (request) => {
      if (request.url().endsWith("/events/stream")) streams.push(request.frame().page());
    });
    const others = await Promise.all(Array.from({ length: 7 }, () => context.newPage()));
    await using _others = {
      [Symbol.asyncDispose]: () => Promise.all(others.map((each) => each.close())).then(() => {}),
    };
    const add = async (name: string) => {
      const feature = unusedName(name);
      await shop.call("luca.ferri", "PUT", `/admin/v1/sources/global/features/${feature}`);
      return `${feature} added`;
    };
    const isInAll = async (text: string) => {
      for (const page of [first, ...others]) await rowOf(page, text).waitFor();
    };
    // Without locks, two windows may keep a stream for a second.
    const areOpened = (count: number, name: string) =>
      until(() => (hasLocks ? streams.length === count : streams.length >= count), name);
    const see = (isSeen: boolean) =>
      first.evaluate(`
        Object.defineProperty(document, "hidden", { configurable: true, value: ${!isSeen} });
        document.dispatchEvent(new Event("visibilitychange"));`);
    for (const each of others) {
      await each.goto(page);
      await isLive(each);
    }
    await isInAll(await add("in.all-windows"));
    expect(streams).toEqual([]);
    // When the window that keeps the stream is hidden, another one takes over.
    const closed = first.waitForEvent("requestfailed", (request) => request.url().endsWith("/events/stream"));
    await see(false);
    await closed;
    await areOpened(1, "another window keeps the stream");
    const whileHidden = await add("while.hidden");
    for (const page of others) await rowOf(page, whileHidden).waitFor();
    expect(await rowOf(first, whileHidden).count()).toBe(0);
    await see(true);
    await rowOf(first, whileHidden).waitFor();
    const keeper = streams[0];
    await keeper?.close();
    others.splice(others.indexOf(keeper as Page), 1);
    await areOpened(2, "the next window keeps the stream");
    await isInAll(await add("after.closing"));
    expect(window.faults.filter((fault) => !fault.includes(`//${host}`))).toEqual([]);
    await first
      .getByRole("button", { name: /luca\.ferri/ })
      .first()
      .click();
    await first.getByRole("menuitem", { name: "Sign out" }).click();
    for (const page of [first, ...others]) await page.getByLabel("Credential").waitFor();
  });

  it.each([
    ["a kill", "features?kill=session.share"],
    ["a rule", "features/session.share?edit=percentage"],
  ])("leaves what was typed for %s when the session has ended", async (_, path) => {
    await shop.call("luca.ferri", "PUT", "/admin/v1/sources/percentage/rules/session.share", { percentage: 5 });
    await window.visit(path, "marta.ibanez");
    const { page, context } = window;
    const field = page.getByRole("textbox", { name: /^Reason/ });
    await field.fill("incident 2481");
    await context.clearCookies();
    await page.getByRole("button", { name: /^(Kill for everyone|Apply)$/ }).dispatchEvent("click");
    const again = page.getByRole("dialog", { name: "Your session has ended" });
    await again.getByLabel("Credential").fill(shop.credentials["marta.ibanez"]);
    await again.getByRole("button", { name: "Sign in" }).click();
    await again.waitFor({ state: "detached" });
    expect(await field.inputValue()).toBe("incident 2481");
  });

  it("leaves no error in a dialog after the operator has signed in again", async () => {
    await window.visit("features", "luca.ferri");
    const { page, context } = window;
    await page.getByRole("button", { name: "New feature" }).first().click();
    const dialog = page.getByRole("dialog", { name: "New feature" });
    const feature = unusedName("session.feature");
    await dialog.getByLabel("Key").fill(feature);
    await context.clearCookies();
    // Not a click: another request may find the session ended first, and the sign-in is then over the button.
    await dialog.getByRole("button", { name: "Create" }).dispatchEvent("click");
    const again = page.getByRole("dialog", { name: "Your session has ended" });
    await again.getByLabel("Credential").fill(shop.credentials["luca.ferri"]);
    await again.getByRole("button", { name: "Sign in" }).click();
    await again.waitFor({ state: "detached" });
    expect(await dialog.getByRole("alert").count()).toBe(0);
    await dialog.getByRole("button", { name: "Create" }).click();
    await page.getByRole("heading", { name: feature }).waitFor();
  });

  it("shows a long key without its middle, and the whole of it as a title", async () => {
    const key = `begin.${"k".repeat(480)}.end`;
    await window.visit(`features/${key}`, "noa.levi");
    const heading = window.page.getByRole("heading", { name: /^begin\.k+…k+\.end$/, level: 1 });
    expect((await heading.innerText()).length).toBe(80);
    await heading.getByTitle(key).waitFor();
  });
});

const rowOf = (page: Page, text: string) => page.getByRole("listitem").filter({ hasText: text });
