import type { Browser } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { openWindow, startBrowser, type Window, type WindowOptions } from "./browser.ts";
import { type DemoShop, type Person, type ShopOptions, startDemoShop } from "./demo-shop.ts";

/** A shop and a browser that the tests of a file share. */
export type ShopTests = Omit<DemoShop, typeof Symbol.asyncDispose> & {
  readonly browser: Browser;
  /** Opens the page of the shop as a person, or, without one, signed out. */
  readonly open: (person?: Person, options?: WindowOptions) => Promise<Window>;
};

/** Starts a shop and a browser before the tests of a file, and ends them afterwards. */
export function shopTests(options: ShopOptions = {}): ShopTests {
  let shop: DemoShop;
  let browser: Browser;
  beforeAll(async () => {
    [shop, browser] = await Promise.all([startDemoShop(options), startBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.[Symbol.asyncDispose]();
  });
  return {
    get browser() {
      return browser;
    },
    get service() {
      return shop.service;
    },
    get credentials() {
      return shop.credentials;
    },
    stop: () => shop.stop(),
    call: (...args) => shop.call(...args),
    open: (person, windowOptions) => openWindow(browser, shop, person, windowOptions),
  };
}
