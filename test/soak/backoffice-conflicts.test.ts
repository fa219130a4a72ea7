import type { Route } from "playwright-core";
import { describe, expect, it } from "vitest";
import { isLive } from "../backoffice/support/browser.ts";
import { shopTests } from "../backoffice/support/shop-tests.ts";
import { unusedName } from "../backoffice/support/unused-name.ts";

const shop = shopTests();

const key = "checkout.express-pay";
const rulePath = `sources/percentage/rules/${key}`;
const shareNow = async () =>
  ((await shop.call("noa.levi", "GET", `/admin/v1/${rulePath}`)) as { rule: { percentage: number } }).rule.percentage;

/** Changes the shop. At the start of a test it sets back what an earlier run left. */
const change = (method: "PUT" | "DELETE", path: string, body?: object) =>
  shop.call("jonas.weber", method, `/admin/v1/${path}`, body);

describe("the second click of two", () => {
  it.each([
    [
      "the switch for everyone of the list",
      "features?q=payments.ledger-v2",
      "switch",
      /On for everyone/,
      "is on for everyone.",
    ],
    ["the switch of a feature", "features/payments.ledger-v2", "switch", /On for everyone/, "is on for everyone."],
    ["the row of a source", "features/payments.ledger-v2", "button", /Add global/, "is on for everyone."],
    ["a share", `features/${key}?edit=percentage`, "button", /^Apply$/, "saved: 25 %."],
    ["the set of a user", "people/u-48213", "button", /Remove checkout\.google-pay/, "removed for u-48213."],
    ["a revert", "events?q=guest-flow", "button", /^Revert$/, "1 change reverted."],
  ] as const)("in %s is ignored while the change of the first is under way", async (_, path, role, name, done) => {
    await change("DELETE", "sources/global/features/payments.ledger-v2");
    await change("PUT", "sources/user/features/checkout.google-pay?userId=u-48213");
    await change("PUT", "sources/global/features/checkout.guest-flow");
    await using window = await shop.open("marta.ibanez", { path });
    const { page } = window;
    const { promise: clicked, resolve: release } = Promise.withResolvers<void>();
    const sent: string[] = [];
    await page.route("**/admin/v1/**", async (route) => {
      const request = route.request();
      if (request.method() === "GET" || /dryRun|\/explain|\/usage$/.test(request.url())) return route.continue();
      sent.push(request.url());
      await clicked;
      return route.continue();
    });
    if (path.startsWith("events")) {
      await page.getByText("checkout.guest-flow added for everyone").first().click();
      await page.getByRole("button", { name: "Revert…" }).click();
    }
    // A share cannot be applied before its effect is counted.
    if (path.endsWith("percentage")) await page.getByText("Nobody loses it.").waitFor();
    await page.getByRole(role, { name, disabled: false }).dblclick({ force: true });
    release();
    await page.getByText(done).waitFor();
    expect(await page.getByRole("button", { name: "Undo", exact: true }).count()).toBe(1);
    expect(sent).toHaveLength(1);
    expect(window.faults).toEqual([]);
  });
});

describe("an undo of a bulk change", () => {
  it("is shown although the reads from before it end later", async () => {
    const keys = ["payments.ledger-v2", "payments.sepa-instant"];
    for (const each of keys) await change("DELETE", `killed/${each}`);
    await using window = await shop.open("marta.ibanez");
    const { page } = window;
    // The page does not learn of changes.
    await page.route("**/events/stream", () => {});
    await page.goto(`${shop.service.url}/backoffice/features?owner=Payments&sort=key`);
    for (const each of keys) await page.getByRole("checkbox", { name: `Select ${each}` }).click();
    const undone = Promise.withResolvers<void>();
    let late = 0;
    let sent = 0;
    await page.route(
      "**/admin/v1/features/payments.*",
      async (route) => {
        const response = await route.fetch();
        late += 1;
        await undone.promise;
        await route.fulfill({ response });
        sent += 1;
      },
      { times: keys.length },
    );
    await page.getByRole("button", { name: "Kill 2…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Kill 2 features" }).click();
    await expect.poll(() => late).toBe(keys.length);
    await page.getByRole("button", { name: "Undo the 2 changes" }).click();
    await page.getByRole("dialog", { name: "Undo: 2 of 2 changed" }).waitFor();
    undone.resolve();
    await expect.poll(() => sent).toBe(keys.length);
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await page.getByRole("button", { name: /^Undo kill of payments/ }).count()).toBe(0);
    expect(window.faults).toEqual([]);
  });
});

describe("a change that somebody else made meanwhile", () => {
  it("stops a change of a rule, names who changed it and what, and can be replaced", async () => {
    await change("PUT", rulePath, { percentage: 25 });
    await using window = await shop.open("marta.ibanez", { path: `features/${key}?edit=percentage` });
    const { page } = window;
    const dialog = page.getByRole("dialog", { name: `percentage of ${key}` });
    await dialog.getByText("Rule as JSON").click();
    await dialog.getByRole("textbox", { name: /^Rule/ }).fill('{"percentage": 40}');
    await change("PUT", rulePath, { percentage: 70 });
    await dialog.getByRole("button", { name: "Apply", exact: true }).click();
    const conflict = dialog.getByRole("alert").filter({ hasText: "Your change was not applied." });
    await conflict.getByText(/jonas\.weber changed this/).waitFor();
    expect(await shareNow()).toBe(70);
    await conflict.getByRole("button", { name: "Show it" }).click();
    await conflict.getByText('"percentage": 25').first().waitFor();
    await conflict.getByText('"percentage": 70').first().waitFor();
    await conflict.getByRole("button", { name: "Apply anyway" }).click();
    await page.getByText(`Percentage of ${key} saved: 40 %.`).waitFor();
    expect(await shareNow()).toBe(40);

    // The undo must not take back what came after.
    await change("PUT", rulePath, { percentage: 55 });
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await page.getByText("Not undone. Somebody changed it since.").waitFor();
    expect(await shareNow()).toBe(55);
    expect(window.faults).toEqual([]);
  });

  it("stops a change of a description", async () => {
    await using window = await shop.open("marta.ibanez", { path: "features/checkout.guest-flow" });
    const { page } = window;
    await page.getByRole("button", { name: "Edit details" }).click();
    const dialog = page.getByRole("dialog", { name: "Details of checkout.guest-flow" });
    await dialog.getByRole("textbox", { name: "Owner" }).fill("Marta's team");
    const catalogue = "catalogue/checkout.guest-flow";
    await change("PUT", catalogue, { description: unusedName("Pay as a guest"), owner: "Guests", tags: [] });
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText(/jonas\.weber changed this/).waitFor();
    expect(await shop.call("noa.levi", "GET", `/admin/v1/${catalogue}`)).toMatchObject({ owner: "Guests" });
  });

  it("is not repeated and not undone by a switch or a kill that finds it", async () => {
    for (const list of ["killed", "sources/global/features"]) await change("DELETE", `${list}/payments.ledger-v2`);
    await using window = await shop.open("marta.ibanez");
    const { page } = window;
    // The page does not learn of changes.
    await page.route("**/events/stream", () => {});
    await page.goto(`${shop.service.url}/backoffice/features`);
    const toggle = page.getByRole("switch", { name: "On for everyone: payments.ledger-v2" });
    await toggle.waitFor();
    await change("PUT", "sources/global/features/payments.ledger-v2");
    await toggle.click({ force: true });
    await page
      .getByText(/payments\.ledger-v2 was on for everyone already\. jonas\.weber changed it \d+ s ago\./)
      .waitFor();
    expect(await page.getByRole("button", { name: "Undo", exact: true }).count()).toBe(0);

    await page.goto(`${shop.service.url}/backoffice/features?kill=payments.ledger-v2`);
    const dialog = page.getByRole("dialog", { name: "Kill payments.ledger-v2?" });
    // What the dialog tells is read only once.
    await dialog.getByText("Every caller loses it now.").waitFor();
    await change("PUT", "killed/payments.ledger-v2");
    await dialog.getByRole("button", { name: "Kill for everyone" }).click();
    await page.getByText(/payments\.ledger-v2 was killed already\. jonas\.weber changed it/).waitFor();
    expect(await page.getByRole("button", { name: "Undo", exact: true }).count()).toBe(0);
  });

  it("leaves a kill nothing to do, and shows who killed it", async () => {
    await change("DELETE", "killed/payments.sepa-instant");
    await using window = await shop.open("marta.ibanez", { path: "features?kill=payments.sepa-instant" });
    const { page } = window;
    const asking = page.getByRole("dialog", { name: "Kill payments.sepa-instant?" });
    await asking.getByText("Every caller loses it now.").waitFor();
    await isLive(page);
    await change("PUT", "killed/payments.sepa-instant");
    const killed = page.getByRole("dialog", { name: "payments.sepa-instant is killed" });
    await killed.getByText(/Killed already by jonas\.weber, \d+ s ago\./).waitFor();
    expect(await page.getByRole("button", { name: "Kill for everyone" }).count()).toBe(0);
    await killed.getByText("Close", { exact: true }).click();
    await killed.waitFor({ state: "detached" });
    expect(window.faults).toEqual([]);
  });

  it("is kept by a bulk change of tags, of which the other features are changed", async () => {
    const [tag, ownTag] = [unusedName("new"), unusedName("q1")];
    await using window = await shop.open("luca.ferri", { path: "features?owner=Search&sort=key" });
    const { page } = window;
    const selected = ["search.typo-tolerance", "search.semantic-ranking"];
    for (const each of selected) await page.getByRole("checkbox", { name: `Select ${each}` }).click();
    await page.getByRole("button", { name: "Tags and owner" }).click();
    const dialog = page.getByRole("dialog", { name: "Tags and owner of 2 features" });
    await dialog.getByRole("textbox", { name: "Add tags" }).fill(ownTag);
    // Somebody describes one of them between the read and the change.
    const describeFirst = async (route: Route) => {
      await change("PUT", "catalogue/search.typo-tolerance", {
        description: "Finds what was misspelt",
        owner: "Search",
        tags: [tag],
      });
      await route.continue();
    };
    await page.route("**/admin/v1/changes*", describeFirst, { times: 1 });
    // The result can be acted on while the list is still being read again.
    const retried = Promise.withResolvers<void>();
    await page.route("**/admin/v1/features/search.*", (route) => retried.promise.then(() => route.continue()));
    await dialog.getByRole("button", { name: "Apply" }).click();
    const result = page.getByRole("dialog", { name: "Tags and owner: 1 of 2 changed" });
    await result.getByText("Somebody changed it meanwhile.").waitFor();
    await result.getByRole("button", { name: "Retry the 1" }).click();
    await page.getByRole("dialog", { name: "Tags and owner: 1 of 1 changed" }).waitFor();
    retried.resolve();
    expect(await shop.call("noa.levi", "GET", "/admin/v1/catalogue/search.typo-tolerance")).toMatchObject({
      description: "Finds what was misspelt",
      tags: [tag, ownTag],
    });
    expect(window.faults).toEqual([]);
  });
});
