import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { shopTests } from "../backoffice/support/shop-tests.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const viewports = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } } as const;
const pages = [
  "features",
  "features?kill=checkout.express-pay",
  "features/checkout.express-pay",
  "people",
  "people/u-48213?f=checkout.express-pay",
  "people/u-48213?mode=at&at=2026-11-28T09:00:00Z",
  "events",
  "system",
];

const shop = shopTests();

/** The last open dialog, behind which the page is inert, or the whole page. */
const shown = "[...document.querySelectorAll('dialog[open]')].at(-1) ?? document";

/** The options of axe in each scheme: the schemes differ in colours only. */
const schemes = { light: {}, dark: { runOnly: ["color-contrast", "link-in-text-block"] } };

/** What axe finds in each scheme that a person could not work around, and whether the page scrolls sideways. */
async function findings(page: Page): Promise<readonly string[]> {
  // The policy forbids scripts in the page; the debugger may run them.
  await page.evaluate(axe);
  const found: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const options = JSON.stringify({ resultTypes: ["violations"], ...schemes[colorScheme] });
    const { violations } = (await page.evaluate(`axe.run(${shown}, ${options})`)) as AxeResults;
    for (const { id, impact, nodes } of violations) {
      if (impact !== "serious" && impact !== "critical") continue;
      for (const { target, failureSummary } of nodes) found.push(`${colorScheme}: ${id}: ${target} ${failureSummary}`);
    }
    const overflow = Number(await page.evaluate("document.documentElement.scrollWidth - innerWidth"));
    if (overflow > 0) found.push(`${colorScheme}: it scrolls sideways by ${overflow} px`);
  }
  return found;
}

async function expectAccessible(page: Page): Promise<void> {
  for (const [size, viewport] of Object.entries(viewports)) {
    await page.setViewportSize(viewport);
    expect([size, await findings(page)]).toEqual([size, []]);
  }
}

/** Opens the event of a kill in the list; returns the button to revert it. */
async function revertOfKill(page: Page): Promise<Locator> {
  const row = page.getByRole("listitem").filter({ hasText: "killed" }).first();
  await row.getByRole("button").click();
  return row.getByRole("button", { name: /^Revert/ });
}

describe("every page", () => {
  it.each(pages)(
    "is accessible in both schemes and sizes, never scrolls sideways, and stays within its policy and origin: %s",
    async (path) => {
      await using window = await shop.open("marta.ibanez", { path, viewport: viewports.narrow });
      const { page } = window;
      await page.getByRole("heading", { level: 1 }).first().waitFor();
      await page.waitForLoadState("networkidle", { timeout: 2_000 }).catch(() => undefined);
      await expectAccessible(page);
      expect(window.faults).toEqual([]);
    },
  );

  /** What is shown only once it is opened. */
  const opened: Readonly<Record<string, { readonly path: string; readonly open: (page: Page) => Promise<void> }>> = {
    "an event": {
      path: "events?days=all",
      open: async (page) => (await revertOfKill(page)).waitFor(),
    },
    "the revert of an event": {
      path: "events?days=all",
      open: async (page) => {
        await (await revertOfKill(page)).click();
        await page.getByRole("dialog").waitFor();
      },
    },
    "the verification of the log": {
      path: "events",
      open: async (page) => {
        await page.getByRole("button", { name: "Verify the log" }).click();
        await page.getByText("None was altered.").waitFor();
      },
    },
    "a menu of filters": {
      path: "events",
      open: async (page) => {
        await page.getByRole("button", { name: "Kind" }).click();
        await page.getByText("Tokens", { exact: true }).waitFor();
      },
    },
    "a rule": {
      path: "features/checkout.express-pay?edit=percentage",
      open: (page) => page.getByRole("dialog").waitFor(),
    },
    "the details of a feature": {
      path: "features/checkout.express-pay",
      open: async (page) => {
        await page.getByRole("button", { name: "Edit details" }).click();
        await page.getByRole("dialog").waitFor();
      },
    },
    "a new feature": {
      path: "features",
      open: async (page) => {
        await page.getByRole("button", { name: "New feature" }).click();
        await page.getByRole("dialog").waitFor();
      },
    },
    "the command bar": {
      path: "features",
      open: async (page) => {
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.keyboard.press("Control+k");
        await page.getByRole("combobox").fill("checkout");
        await page
          .getByRole("option", { name: /^checkout/ })
          .first()
          .waitFor();
      },
    },
    "the tokens of a user": {
      path: "people/u-48213",
      open: async (page) => {
        await page.getByRole("button", { name: "Tokens" }).click();
        await page.getByRole("dialog").waitFor();
      },
    },
    "a comparison": {
      path: "people/u-48213?mode=compare&with=u-48319@now",
      open: (page) => page.getByRole("region", { name: "Comparison" }).waitFor(),
    },
  };
  it.each(Object.keys(opened))("is accessible in both schemes and sizes with %s open", async (name) => {
    const { path = "", open } = opened[name] ?? {};
    await using window = await shop.open("marta.ibanez", { path, viewport: viewports.wide });
    await open?.(window.page);
    await expectAccessible(window.page);
    expect(window.faults).toEqual([]);
  });

  it("is accessible when signed out", async () => {
    await using window = await shop.open();
    await window.page.getByLabel("Credential").waitFor();
    expect(await findings(window.page)).toEqual([]);
  });
});
