import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { openWindow, startBrowser } from "../test/backoffice/support/browser.ts";
import { startDemoShop } from "../test/backoffice/support/demo-shop.ts";

/** The pictures: a name, and the path of the page. */
const pictures: Readonly<Record<string, string>> = {
  features: "features",
  feature: "features/checkout.express-pay",
  edit: "features/checkout.express-pay?edit=percentage",
  "feature-schedule": "features/checkout.gift-cards",
  "feature-windows": "features/checkout.gift-cards?edit=schedule",
  kill: "features?kill=checkout.express-pay",
  people: "people",
  person: "people/u-48213?f=checkout.express-pay",
  moment: "people/u-48213?f=checkout.express-pay&mode=at&at=2026-11-28T09:00:00Z&tab=off",
  compare: "people/u-48213?mode=compare&with=@now&at=2026-11-29T09:00:00Z",
  events: "events",
  event: "events/140",
  system: "system",
};
const sizes = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } };

/** Takes a picture of each page in both sizes and colours; `ONLY=features` limits them to names that start so, and `ONLY=readme` to the one of the README. */
async function takePictures(folder: string, only: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await using shop = await startDemoShop({ isPast: true });
  const browser = await startBrowser();
  try {
    for (const [name, path] of Object.entries(pictures).filter(([each]) => each.startsWith(only))) {
      for (const [size, viewport] of Object.entries(sizes)) {
        for (const colorScheme of ["light", "dark"] as const) {
          await using window = await openWindow(browser, shop, "marta.ibanez", { path, viewport, colorScheme });
          await window.page.getByRole("heading", { level: 1 }).waitFor();
          await window.page.waitForLoadState("networkidle", { timeout: 3_000 }).catch(() => undefined);
          const file = join(folder, `${name}-${size}-${colorScheme}.png`);
          // Charts are drawn after their data have arrived.
          await window.page.waitForTimeout(400);
          await window.page.screenshot({ path: file });
          console.log(file, ...window.faults);
        }
      }
    }
    if ("readme".startsWith(only)) {
      const viewport = { width: 1440, height: 560 };
      await using window = await openWindow(browser, shop, "marta.ibanez", { path: "features", viewport });
      await window.page.waitForLoadState("networkidle");
      await window.page.screenshot({ path: resolve(import.meta.dirname, "../docs/backoffice.png") });
    }
  } finally {
    await browser.close();
  }
}

const [folder = "backoffice/screenshots"] = process.argv.slice(2);
await takePictures(resolve(folder), process.env["ONLY"] ?? "");
