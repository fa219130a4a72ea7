import type { Page, Route } from "playwright-core";
import { describe, expect, it } from "vitest";
import { shopTests } from "../backoffice/support/shop-tests.ts";

const shop = shopTests({ isEmpty: true });

describe("with 10,000 features", () => {
  const keys = Array.from(
    { length: 10_000 },
    (_, index) => `area-${index % 40}.feature-${String(index).padStart(5, "0")}`,
  );

  it("the list is usable within 1.5 s, or 3 times the sign-in page, scrolls to its end and filters at once", async () => {
    const batches = Array.from({ length: 10 }, (_, index) => keys.slice(index * 1_000, (index + 1) * 1_000));
    const changes = batches.map((add) => ({ source: "global", add }));
    await shop.call("marta.ibanez", "POST", "/admin/v1/changes", { changes });
    await shop.call("marta.ibanez", "PUT", `/admin/v1/killed/${keys[7]}`);
    const firstView = async (person: "marta.ibanez" | undefined, isReady: (page: Page) => Promise<unknown>) => {
      await using window = await shop.open(person, { path: "inter-license.txt", isNew: true });
      const start = performance.now();
      await window.page.goto(`${shop.service.url}/backoffice/features?sort=key`);
      await isReady(window.page);
      return performance.now() - start;
    };
    let [full, ratio] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    // The least counts: other work on the machine makes a view longer, and both views of an attempt about as much.
    for (let attempt = 0; attempt < 5; attempt++) {
      const isListed = (page: Page) => page.getByRole("switch", { name: `On for everyone: ${keys[0]}` }).waitFor();
      const listed = await firstView("marta.ibanez", isListed);
      full = Math.min(full, listed);
      if (full < 1_500) break;
      ratio = Math.min(ratio, listed / (await firstView(undefined, (page) => page.getByLabel("Credential").waitFor())));
    }
    expect(full < 1_500 || ratio < 3, `${full} ms, ${ratio} times the sign-in page`).toBe(true);
    await using window = await shop.open("marta.ibanez", { path: "features?sort=key" });
    const { page } = window;
    await page.getByRole("button", { name: "All 10,000" }).waitFor();
    expect(await page.getByRole("row").count()).toBeLessThan(60);
    // A scrollbar that takes no space leaves none empty.
    const rightOf = (part: string) => page.locator(part).evaluate((element) => element.getBoundingClientRect().right);
    expect(await rightOf('.feature-row[data-index="0"]')).toBe(await rightOf(".feature-table-body"));

    const body = page.getByRole("rowgroup", { name: "Feature rows" });
    const last = keys.toSorted().at(-1) ?? "";
    await expect
      .poll(async () => {
        await body.evaluate((element) => element.scrollTo(0, element.scrollHeight));
        return page.getByRole("link", { name: last }).count();
      })
      .toBe(1);

    const search = page.getByRole("textbox", { name: "Filter features" });
    await search.fill("feature-0777");
    await page.getByRole("button", { name: "All 10", exact: true }).waitFor();
    await search.fill("");
    await page.getByRole("button", { name: "All 10,000" }).waitFor();
    await page.getByRole("checkbox", { name: "Select all that match" }).click();
    await page.getByText("All 10,000 that match are selected").waitFor({ timeout: 120_000 });
    await page.getByRole("button", { name: "Kill 9,999…" }).click();
    const dialog = page.getByRole("dialog", { name: "Kill 9,999 of 10,000 features?" });
    await dialog.getByText("Off for everyone. Every caller loses 9,999 features now.").waitFor({ timeout: 120_000 });
    await dialog.getByText("and 9,989 more").waitFor();
    await dialog.getByText(`${keys[7]} is killed and skipped.`).waitFor();

    await window.reload();
    const progress = page.getByText("Selecting 100 of 10,000…");
    const continued = async (route: Route) => {
      await progress.waitFor();
      await route.continue();
    };
    await page.route(/[?&]cursor=/, continued, { times: 1 });
    await page.getByRole("checkbox", { name: "Select all that match" }).click();
    await page.getByText("All 10,000 that match are selected").waitFor({ timeout: 120_000 });
    expect(await page.getByText(/^Selecting/).count()).toBe(0);
    expect(window.faults).toEqual([]);
  });
});
