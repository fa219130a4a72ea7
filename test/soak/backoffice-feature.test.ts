import { describe, expect, it } from "vitest";
import { demoFeatures } from "../backoffice/support/demo-features.ts";
import { shopTests } from "../backoffice/support/shop-tests.ts";
import { unusedName } from "../backoffice/support/unused-name.ts";

const shop = shopTests();

const feature = async (key: string) =>
  (await shop.call("noa.levi", "GET", `/admin/v1/features/${key}`)) as {
    readonly state: string;
    readonly killed: boolean;
    readonly on: Readonly<Record<string, unknown>>;
    readonly catalogue: { readonly owner: string };
  };

/** Sets back what an earlier run of a repeated test left. */
const setBack = (method: "PUT" | "DELETE", path: string, body?: object) =>
  shop.call("jonas.weber", method, `/admin/v1/${path}`, body);

describe("the page of a feature", () => {
  it("shows the result of each source, in the order of the decision", async () => {
    await using window = await shop.open("noa.levi", { path: "features/checkout.express-pay" });
    const { page } = window;
    await page.getByText("On for 120 users, 3 locations and 25 % of callers.").waitFor();
    await page.getByText("Closing it holds 120 users and 3 locations.").waitFor();
    const roles = await page.locator(".source-table-role").allInnerTexts();
    expect(roles.map((text) => text.split(/\s/)[0])).toEqual(["Grants", "Gates", "Vetoes"]);
    await page.getByRole("region", { name: "Grants" }).getByText("120 users").waitFor();
    expect(await page.getByRole("switch").count()).toBe(0);
    expect(
      await page
        .getByRole("main")
        .getByRole("button", { name: /Kill|Edit|Add|Close/ })
        .count(),
    ).toBe(0);
    await page.getByRole("button", { name: "Locations with checkout.express-pay, source location" }).click();
    await page.getByRole("heading", { name: "3 locations · source location" }).waitFor();
    await page.getByRole("link", { name: "pt", exact: true }).waitFor();
    expect(
      await page
        .getByRole("main")
        .getByRole("button", { name: /Add|Remove/ })
        .count(),
    ).toBe(0);
    expect(window.faults).toEqual([]);
  });

  it("shows the last changes, also those behind a bulk change of more than a page of events", async () => {
    await using window = await shop.open("noa.levi", { path: "features/checkout.express-pay" });
    const recent = window.page.locator(".recent-changes li");
    const share = recent.filter({ hasText: "Share 5 % to 25 %" });
    await share.getByText("percentage: 25").waitFor();
    expect(await share.locator(".removed").innerText()).toMatch(/percentage: 5$/);
    await recent.getByText(/^Added for 120 users$/).waitFor();
    expect(await recent.count()).toBe(5);
    await window.visit("features/checkout.express-pay?tab=events", "noa.levi");
    await window.page
      .locator(".event-list")
      .getByText(/added for 120 users$/)
      .waitFor();
    const rows = await window.page.locator(".event-row").count();
    await window.page.getByRole("button", { name: `Events ${rows}`, exact: true }).waitFor();
  });

  it("counts changes up to a page of events, and reads older ones on demand", async () => {
    const key = unusedName("many.changes");
    const path = `/admin/v1/sources/percentage/rules/${key}`;
    for (let change = 0; change <= 100; change++) await shop.call("luca.ferri", "PUT", path, { percentage: change });
    await using window = await shop.open("noa.levi", { path: `features/${key}?tab=events` });
    const { page } = window;
    await page.getByRole("button", { name: "Events 100+" }).waitFor();
    await page.getByText(`Share of ${key} 1 % to 2 %`).waitFor();
    expect(await page.getByText(`Share of ${key} set to 0 %`).count()).toBe(0);
    await page.getByRole("button", { name: "Show older events" }).click();
    await page.getByText(`Share of ${key} set to 0 %`).waitFor();
  });

  it("tells features that are evaluated as off from new ones", async () => {
    const created = unusedName("just.created");
    await shop.call("marta.ibanez", "POST", "/ofrep/v1/evaluate/flags", { context: {} });
    await using window = await shop.open("noa.levi", { path: "features/web.bundle-split" });
    await window.page.getByText(/^never as on; off \d+ times? in the last 24 hours$/).waitFor();
    await shop.call("marta.ibanez", "PUT", `/admin/v1/catalogue/${created}`, {
      description: "",
      owner: "",
      tags: [],
    });
    await window.visit(`features/${created}`, "noa.levi");
    await window.page.getByText(/^created (now|\d+ (s|min) ago); not evaluated yet$/).waitFor();
    await window.visit(`features?q=${created}`, "noa.levi");
    await window.page
      .getByTitle(/^Created \d+ (s|min) ago; not evaluated as on yet$/)
      .getByText(/^none (yet|for \d+ min)$/)
      .waitFor();
  });

  it("strikes through only where a held feature would be on", async () => {
    await using window = await shop.open("noa.levi", { path: "features/checkout.cart-recovery" });
    const grants = window.page.getByRole("region", { name: "Grants" });
    await grants.getByText("31 users").waitFor();
    await grants.getByText("Not listed").first().waitFor();
    expect(await window.page.locator(".source-table-struck").allInnerTexts()).toEqual(["31 users"]);
  });

  it("drops what a closed gate holds from whom the feature is on for, while another grant has it on", async () => {
    const [key, gate] = ["web.half-held", "/admin/v1/sources/active/features/web.half-held"];
    await shop.call("luca.ferri", "PUT", `/admin/v1/sources/percentage/rules/${key}`, { percentage: 60 });
    await shop.call("luca.ferri", "PUT", `/admin/v1/sources/global/features/${key}`);
    await shop.call("luca.ferri", "PUT", `/admin/v1/sources/location/features/${key}?location=es`);
    await shop.call("luca.ferri", "PUT", gate);
    await shop.call("luca.ferri", "DELETE", gate);
    await using window = await shop.open("marta.ibanez", { path: `features/${key}` });
    const { page } = window;
    const struck = page.locator(".source-table-struck");
    await struck.getByText("es", { exact: true }).waitFor();
    expect(await struck.count()).toBe(1);
    await page.getByRole("button", { name: `Remove global: ${key}` }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("It stays on for 60 % of callers.").waitFor();
    await dialog.getByRole("button", { name: "Off for everyone" }).click();
    await page.getByText(`${key} is no longer on for everyone. It stays on for 60 % of callers.`).waitFor();
    await page.getByText("On for 60 % of callers.", { exact: true }).waitFor();
    await page.getByText("It holds 1 location.").waitFor();
    await window.visit(`features?q=${key}`, "noa.levi");
    await page.locator(".feature-row .chip", { hasText: "60 %" }).waitFor();
    expect(await page.locator(".feature-row .without-effect").allInnerTexts()).toEqual(["es"]);
    expect(window.faults).toEqual([]);
  });

  it("kills and unkills the feature", async () => {
    await setBack("DELETE", "killed/checkout.apple-pay");
    await using window = await shop.open("marta.ibanez", { path: "features/checkout.apple-pay" });
    const { page } = window;
    await page.getByRole("button", { name: "Kill for everyone…" }).click();
    expect(new URL(page.url()).searchParams.get("kill")).toBe("1");
    await page.getByRole("dialog").getByRole("button", { name: "Kill for everyone" }).click();
    await page.getByText(/^Killed (now|\d+ s ago) by marta\.ibanez\.$/).waitFor();
    expect(await page.getByRole("switch", { name: "On for everyone: checkout.apple-pay" }).isDisabled()).toBe(true);
    await page.getByRole("region", { name: "Kill switch" }).getByRole("button", { name: "Undo kill" }).click();
    await page.getByText("checkout.apple-pay is back exactly as it was.").waitFor();
    expect(await feature("checkout.apple-pay")).toMatchObject({ killed: false, state: "on" });
    await page
      .locator(".recent-changes")
      .getByText(/^Killed, undone after \d+ (s|min)$/)
      .first()
      .waitFor();
  });

  it("adds and removes the feature for everyone, and holds it, in the rows of the sources", async () => {
    await setBack("DELETE", "sources/global/features/checkout.google-pay");
    await using window = await shop.open("marta.ibanez", { path: "features/checkout.google-pay" });
    const { page } = window;
    await page.getByRole("button", { name: "Add global: checkout.google-pay" }).click();
    await page.getByText("On for everyone.", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Remove global: checkout.google-pay" }).click();
    const dialog = page.getByRole("dialog", { name: "Switch checkout.google-pay off for everyone?" });
    await dialog.getByRole("button", { name: "Off for everyone" }).click();
    await page.getByText("On for 48 users.", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Close gate active: checkout.google-pay" }).click();
    const closing = page.getByRole("dialog", { name: "Close gate active for checkout.google-pay?" });
    await closing.getByText("48 users lose it now.").waitFor();
    await closing.getByRole("button", { name: "Cancel" }).click();
    expect((await feature("checkout.google-pay")).state).toBe("on-for-some");
    expect(window.faults).toEqual([]);
  });

  it("adds the feature for a location, and removes it", async () => {
    await setBack("DELETE", "sources/location/features/checkout.guest-flow?location=lisboa");
    const path = "features/checkout.guest-flow?tab=locations";
    await using window = await shop.open("marta.ibanez", { path });
    const { page } = window;
    await page.getByRole("textbox", { name: "Add a location" }).fill("lisboa");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("checkout.guest-flow added for location lisboa.").waitFor();
    await page.getByRole("link", { name: "lisboa" }).waitFor();
    expect((await feature("checkout.guest-flow")).on["location"]).toMatchObject({ location: ["lisboa"] });
    await page.getByRole("button", { name: "Remove lisboa" }).click();
    await page.getByText("No location has it.").waitFor();
    expect((await feature("checkout.guest-flow")).on["location"]).not.toMatchObject({ location: ["lisboa"] });
    expect(window.faults).toEqual([]);
  });

  it("says which part of the evaluations of the last hour was on, and how many changes there are", async () => {
    await using window = await shop.open("noa.levi");
    const { page } = window;
    await page.route(/\/admin\/v1\/features\/[^/]+\/usage\?from=/, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ json: { ...(await answer.json()), total: { on: 31, off: 69 } } });
    });
    await page.goto(`${shop.service.url}/backoffice/features/checkout.guest-flow`);
    await page.getByText("31 % of evaluations in the last hour were on.").waitFor();
    const all = await page.getByRole("link", { name: /^All \d+$/ }).innerText();
    await page.getByRole("button", { name: `Events ${all.replace("All ", "")}` }).click();
    const rows = page.locator(".event-row");
    await rows.first().waitFor();
    expect(`All ${await rows.count()}`).toBe(all);
  });

  it("asks for confirmation, with numbers, before it closes and opens a gate", async () => {
    await setBack("PUT", "sources/active/features/checkout.google-pay");
    await using window = await shop.open("marta.ibanez", { path: "features/checkout.google-pay" });
    const { page } = window;
    await page.getByRole("switch", { name: "Gate active: checkout.google-pay" }).click({ force: true });
    const dialog = page.getByRole("dialog", { name: "Close gate active for checkout.google-pay?" });
    await dialog.getByText("48 users lose it now.").waitFor();
    await dialog.getByRole("button", { name: "Close the gate" }).click();
    await page.getByText("Held by gate", { exact: true }).waitFor();
    expect((await feature("checkout.google-pay")).state).toBe("held");
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("switch", { name: "Gate active: checkout.google-pay" }).click({ force: true });
    const opening = page.getByRole("dialog", { name: "Open gate active for checkout.google-pay?" });
    await opening.getByText("48 users gain it now.").waitFor();
    expect((await feature("checkout.google-pay")).state).toBe("held");
    await opening.getByRole("button", { name: "Open the gate" }).click();
    await page.getByText("checkout.google-pay is let through by gate active.").waitFor();
  });

  it.each([1440, 390])("wraps long words of people at %i px", async (width) => {
    const { call } = shop;
    const wide = (length: number) => "W".repeat(length);
    const described = { description: wide(300), owner: wide(60), tags: [wide(41)], archived: false };
    await call("marta.ibanez", "PUT", "/admin/v1/catalogue/long.words", described);
    await call("marta.ibanez", "PUT", `/admin/v1/sources/location/features/long.words?location=${wide(60)}`);
    await call("marta.ibanez", "PUT", `/admin/v1/sources/global/features/long.words?note=${wide(300)}`);
    const viewport = { width, height: 844 };
    const overflowing = `[...document.querySelectorAll(".page, .page .card")]
      .filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.className)`;
    await using window = await shop.open("noa.levi", { path: "features/long.words", viewport });
    for (const path of ["features/long.words", `people/-?tab=on&f=long.words&location=${wide(60)}`]) {
      await window.visit(path, "noa.levi");
      await window.page
        .getByText(`“${wide(300)}”`)
        .first()
        .waitFor();
      expect(await window.page.evaluate(overflowing)).toEqual([]);
    }
  });

  it("leaves the unfinished hour out of the charts of its use", async () => {
    await using window = await shop.open("noa.levi");
    const { page } = window;
    const on = [...Array.from({ length: 23 }, () => 60), 1];
    await page.route(/\/admin\/v1\/features\/[^/]+\/usage/, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ json: { ...(await answer.json()), on, off: on, total: { on: 1_381, off: 1_381 } } });
    });
    await page.goto(`${shop.service.url}/backoffice/features/checkout.express-pay`);
    const line = (await page.locator(".usage-line-on").getAttribute("d")) ?? "";
    expect(new Set(line.match(/ [\d.]+/g)).size).toBe(1);
    await page.setViewportSize({ width: 390, height: 844 });
    const labels = await page
      .locator(".usage-tick")
      .evaluateAll((all) => all.map((each) => each.getBoundingClientRect().right));
    const plot = await page.locator(".usage-chart svg").boundingBox();
    expect(Math.max(...labels)).toBeLessThanOrEqual(plot?.x ?? 0);
  });

  it("names the fault of a rule at its member, previews a share, and applies it", async () => {
    await setBack("PUT", "sources/percentage/rules/checkout.installments", { percentage: 10 });
    await using window = await shop.open("marta.ibanez", {
      path: "features/checkout.installments?edit=percentage",
    });
    const { page } = window;
    const dialog = page.getByRole("dialog", { name: "percentage of checkout.installments" });
    const rule = dialog.getByRole("textbox", { name: "Rule as JSON" });
    await dialog.getByText("Rule as JSON").click();
    await rule.fill('{ "percentage": 200 }');
    await dialog.getByText("Share of callers is invalid (expected 0 to 100 in steps of 0.01).").waitFor();
    expect(await dialog.getByRole("button", { name: "Apply" }).isDisabled()).toBe(true);
    const share = dialog.getByRole("spinbutton", { name: "Share of callers" });
    await share.fill("250");
    await dialog.getByText("is invalid (expected 0 to 100 in steps of 0.01)").waitFor();
    await expect.poll(() => share.getAttribute("aria-invalid")).toBe("true");
    expect(await dialog.getByText(/gain/).count()).toBe(0);
    await share.fill("");
    await dialog.getByText(/^Share of callers is (?!invalid)/).waitFor();
    expect(await share.inputValue()).toBe("");
    expect(await dialog.getByRole("button", { name: "Apply" }).isDisabled()).toBe(true);
    await share.pressSequentially("35");
    expect(await share.inputValue()).toBe("35");
    await dialog.getByText(/gain/).first().waitFor();
    await dialog.getByRole("button", { name: "Apply" }).click();
    await page.getByText("Percentage of checkout.installments saved: 35 %.").waitFor();
    expect((await feature("checkout.installments")).on["percentage"]).toMatchObject({ rule: { percentage: 35 } });
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await page.getByRole("region", { name: "Grants" }).getByText("10 %").waitFor();
  });

  it("says what a share changes only if no other grant has the feature on for everyone", async () => {
    const previews = {
      "trust.velocity-limits": /By this rule alone, of 1\d\d users .*gain it and 0 lose it\.$/,
      "web.view-transitions": /^Nobody gains it\. Nobody loses it\.$/,
    };
    for (const [key, preview] of Object.entries(previews)) {
      await using window = await shop.open("marta.ibanez", { path: `features/${key}?edit=percentage` });
      await window.page.getByRole("spinbutton", { name: "Share of callers" }).fill("80");
      await expect.poll(() => window.page.locator(".rule-preview").innerText()).toMatch(preview);
    }
  });

  it("names the fault of a window at its field", async () => {
    await using window = await shop.open("marta.ibanez", {
      path: "features/loyalty.double-points-friday?edit=schedule",
    });
    const dialog = window.page.getByRole("dialog");
    const zone = dialog.getByLabel("Time zone", { exact: true });
    await zone.fill("Foo/Bar");
    await dialog.getByText(/^Time zone is an unknown time zone \(/).waitFor();
    expect(await zone.getAttribute("aria-invalid")).toBe("true");
    await zone.fill("Europe/Madrid");
    await dialog.getByLabel("From", { exact: true }).fill("");
    await dialog.getByText(/^From is /).waitFor();
    expect(await dialog.getByText(/\/windows/).count()).toBe(0);
    expect(await dialog.getByRole("button", { name: "Apply" }).isDisabled()).toBe(true);
    expect(window.faults).toEqual([]);
  });

  it("shows when a schedule is on, in a chosen zone, and edits its windows with a preview", async () => {
    const stocked = demoFeatures.find(({ key }) => key === "checkout.gift-cards");
    await setBack("PUT", "sources/schedule/rules/checkout.gift-cards", { windows: stocked?.windows });
    await using window = await shop.open("marta.ibanez", { path: "features/checkout.gift-cards" });
    const { page } = window;
    await page.getByText(/^Off now\. On \w+ 24 Dec, 00:00, in \d+ \w+\.$|^On now\./).waitFor();
    await page.getByRole("combobox", { name: "Time zone of the schedule" }).selectOption("UTC");
    await page.getByText(/ 23 Dec, 23:00|^On now\./).waitFor();
    await page.getByRole("button", { name: "Edit the windows of schedule" }).click();
    const dialog = page.getByRole("dialog", { name: "schedule of checkout.gift-cards" });
    // The buttons stay in view, however long the editor is.
    const apply = await dialog.getByRole("button", { name: "Apply" }).boundingBox();
    expect(apply && apply.y + apply.height).toBeLessThan(900);
    await dialog
      .getByText(
        /The next window opens on \w+ 24 Dec, 00:00 \(Europe\/Madrid\)\. Everyone gains it then\.$|^Nobody gains it\./,
      )
      .waitFor();
    await dialog.getByRole("combobox", { name: "Days of window 1" }).selectOption("Every week");
    await dialog.getByText("Sat", { exact: true }).click();
    await dialog.getByLabel("From", { exact: true }).fill("18:00");
    await dialog.getByLabel("To", { exact: true }).fill("23:00");
    const preview = dialog.getByRole("list", { name: "Windows of these seven days" });
    await preview.getByText(/^Fri .+, 18:00 – 23:00$/).waitFor();
    await preview.getByText(/^Sat .+, 18:00 – 23:00$/).waitFor();
    await dialog.getByRole("button", { name: "Apply" }).click();
    await page.getByText("schedule of checkout.gift-cards saved.").waitFor();
    const windows = [{ recurrence: "FREQ=WEEKLY;BYDAY=FR,SA", from: "18:00", to: "23:00", timeZone: "Europe/Madrid" }];
    expect((await feature("checkout.gift-cards")).on["schedule"]).toMatchObject({ rule: { windows } });
    await page
      .getByRole("list", { name: "Windows of these seven days" })
      .getByText(/^Sat .+, 17:00 – 22:00$/)
      .waitFor();
    expect(window.faults).toEqual([]);
  });

  it("describes a feature that was unknown", async () => {
    const key = unusedName("checkout.new-idea");
    await using window = await shop.open("marta.ibanez", { path: `features/${key}` });
    const { page } = window;
    await page.getByText(`No source lists ${key}, and nobody described it.`).waitFor();
    await page.getByRole("button", { name: "Create it" }).click();
    await page.getByRole("textbox", { name: "Owner" }).fill("Checkout");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Off. No source has it on.").waitFor();
    expect((await feature(key)).catalogue.owner).toBe("Checkout");
  });

  it("leads from a user of the feature to the reasons", async () => {
    await using window = await shop.open("noa.levi", {
      path: "features/checkout.express-pay?tab=users",
    });
    const { page } = window;
    await page.getByRole("link", { name: "u-48213" }).click();
    await page.getByRole("heading", { name: "Why checkout.express-pay is on" }).waitFor();
  });
});
