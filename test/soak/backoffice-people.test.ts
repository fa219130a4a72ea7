import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { pathSegment } from "../../backoffice/src/api/path-segment.ts";
import { shopTests } from "../backoffice/support/shop-tests.ts";
import { unusedName } from "../backoffice/support/unused-name.ts";
import { instantText } from "../support/instant.ts";
import { bearer } from "../support/service.ts";
import { until } from "../support/until.ts";

const shop = shopTests();

type Explained = {
  readonly features: readonly { readonly feature: string; readonly on: boolean | null; readonly message: string }[];
};
const explain = (body: object) => shop.call("noa.levi", "POST", "/admin/v1/explain", body) as Promise<Explained>;
const chain = (page: Page, key: string) => page.getByRole("list", { name: new RegExp(`^Why ${key}`) });
const change = (method: "PUT" | "DELETE", user: string, feature: string) =>
  shop.call("marta.ibanez", method, `/admin/v1/sources/user/features/${feature}?userId=${user}`);
const tokensPath = (user: string) => `/admin/v1/users/${pathSegment(user)}/tokens`;
const tokensOf = async (user: string) =>
  ((await shop.call("sofia.admin", "GET", tokensPath(user))) as { tokens: readonly { id: string }[] }).tokens;

describe("the page of a person", () => {
  it("explains a feature in the order of the merge rule, with the result of the API", async () => {
    const { features } = await explain({ user: "u-48213", features: ["checkout.express-pay"] });
    await using window = await shop.open("noa.levi", {
      path: "people/u-48213?f=checkout.express-pay",
    });
    const steps = chain(window.page, "checkout.express-pay is on");
    await steps.waitFor();
    const titles = await steps.getByRole("heading", { level: 3 }).allInnerTexts();
    expect(titles.map((title) => title.replace(/\s+/g, " ").trim())).toEqual([
      "Granted by 1 of 5 sources",
      "Gate active lets it through",
      "Veto killed lets it through",
      "Result On",
    ]);
    await steps.getByTitle(features[0]?.message ?? "", { exact: true }).waitFor();
    await steps.getByText("user lists it, and gate active lets it through.").waitFor();
    await steps.getByText(/^Listed in active_features since \d+ \w{3}, \d\d:\d\d, by marta\.ibanez/).waitFor();
    await steps.getByText("Not listed in tidegate:killed").waitFor();
    await window.page.getByText(/^event \d+$/).waitFor();
    await window.page.getByRole("button", { name: /^checkout\.google-pay/ }).click();
    await chain(window.page, "checkout.google-pay is on").waitFor();
    await window.page.goBack();
    await steps.waitFor();
    expect(window.faults).toEqual([]);
  });

  it("tells what a caller lacks, what a share includes, and what a gate would do", async () => {
    await using window = await shop.open("noa.levi", { path: "people/u-none?tab=off&f=checkout.installments" });
    const { page } = window;
    const steps = chain(page, "checkout.installments is off");
    await steps.getByText(/^percentage includes 10 % of callers, and this one is outside of them/).waitFor();
    await steps.getByText("Gate active would let it through").waitFor();
    await steps.getByText("No source grants it.").waitFor();
    await steps.getByText("location needs a location.").getByRole("button", { name: "Set one" }).click();
    await page.getByRole("dialog").getByLabel("Location").fill("pt/porto");
    await page.getByRole("dialog").getByRole("button", { name: "Evaluate" }).click();
    await steps.getByText("location does not list it").waitFor();
    const { features } = await explain({ user: "u-none", location: "pt/porto", features: ["checkout.installments"] });
    await steps.getByTitle(features[0]?.message ?? "", { exact: true }).waitFor();
    expect(window.faults).toEqual([]);
  });

  it("shows a killed feature as killed, also in a comparison", async () => {
    await shop.call("jonas.weber", "PUT", "/admin/v1/killed/web.killed");
    await using window = await shop.open("noa.levi", { path: "people/u-48213?tab=off&f=web.killed" });
    await window.page.getByRole("button", { name: "web.killed Veto killed switches it off" }).waitFor();
    await chain(window.page, "web.killed is off").getByText("Killed", { exact: true }).waitFor();
    await shop.call("marta.ibanez", "PUT", "/admin/v1/sources/global/features/web.killed");
    const at = await instantText();
    await shop.call("jonas.weber", "DELETE", "/admin/v1/killed/web.killed");
    const before = () => explain({ user: "u-48213", at, features: ["web.killed"] });
    await until(async () => (await before()).features[0]?.on === false, "the past is known");
    await window.visit(`people/u-48213?mode=compare&at=${at}&with=@now`, "noa.levi");
    await window.page.getByRole("region", { name: "Comparison" }).getByText("Killed", { exact: true }).waitFor();
  });

  it("scrolls as a whole on a phone, up to the reasons of its last feature", async () => {
    await using window = await shop.open("noa.levi", {
      path: "people/u-48213?tab=off&f=web.bundle-split",
      viewport: { width: 390, height: 844 },
      hasTouch: true,
    });
    const { page } = window;
    await page.getByText("checkout.cart-recovery").waitFor();
    const nested = `[...document.querySelectorAll(".page *")].filter((each) =>
      /auto|scroll/.test(getComputedStyle(each).overflowY) && each.scrollHeight > each.clientHeight + 1).length`;
    expect(await page.evaluate(nested)).toBe(0);
    await expect
      .poll(async () => {
        await page.mouse.move(190, 500);
        await page.mouse.wheel(0, 400);
        return chain(page, "web.bundle-split is off").getByRole("heading", { name: "Result" }).isVisible();
      })
      .toBe(true);
    await window.visit("people/-?mode=compare&at=2026-01-01T00:00:00Z&with=@now", "noa.levi");
    await page.getByText("Unknown on one side").waitFor();
    await page.getByText("show as unknown, never as a guess.").waitFor();
    expect(await page.evaluate("document.documentElement.scrollHeight - innerHeight")).toBe(0);
    expect(window.faults).toEqual([]);
  });

  it("tells that nothing is stored for an id, in a comparison too, unless the store did not answer", async () => {
    const hint = "No set was found for 48213, and Tidegate issued no token for it.";
    await using window = await shop.open("noa.levi", { path: "people/48213" });
    const { page } = window;
    await page.getByText(hint).waitFor();
    await window.visit("people/u-48213?mode=compare&with=48213@now", "noa.levi");
    await page.getByText(hint).waitFor();
    const hints = page.getByText("No set was found");
    expect(await hints.count()).toBe(1);
    await window.visit("people/-", "noa.levi");
    await page.getByText(/^\d+ of \d+ features on/).waitFor();
    expect(await hints.count()).toBe(0);
    await page.route("**/admin/v1/users?**", (route) => route.abort());
    const asked = page.waitForRequest("**/admin/v1/users?**");
    await window.visit("people/48213", "noa.levi");
    await asked;
    await page.getByText("0 tokens").waitFor();
    expect(await hints.count()).toBe(0);
    expect(window.faults).toEqual([]);
  });

  it("names the sources without history by the start of each", async () => {
    await using window = await shop.open("noa.levi", { path: "people" });
    const { page } = window;
    await page.route("**/admin/v1/explain/summary*", async (route) => {
      const response = await route.fetch();
      const { context, ...rest } = await response.json();
      const starts: Record<string, string> = { percentage: "2024-11-23T18:59:00Z", user: "2024-11-24T08:00:00Z" };
      const sources = context.sources.map((source: { name: string }) => ({
        ...source,
        historyFrom: starts[source.name] ?? "2024-11-21T08:00:00Z",
      }));
      await route.fulfill({ response, json: { ...rest, context: { ...context, sources } } });
    });
    await page.goto(`${shop.service.url}/backoffice/people/u-48213?mode=at&at=2020-01-01T00:00:00Z`);
    const early = "before 21 Nov 2024, 09:00";
    await page
      .getByText(
        new RegExp(`^No history of .* and .* ${early}, of percentage before 23 .*19:59, of user before 24 .*09:00\\.$`),
      )
      .waitFor();
    expect(window.faults).toEqual([]);
  });

  it("offers no change to a viewer", async () => {
    await using window = await shop.open("noa.levi", { path: "people/u-48213" });
    await window.page.getByRole("button", { name: /^On \d+/ }).waitFor();
    await window.page.getByText("checkout.express-pay").first().waitFor();
    expect(
      await window.page
        .getByRole("main")
        .getByRole("button", { name: /^(Add feature|Remove)/ })
        .count(),
    ).toBe(0);
  });

  it("suggests what a typing error meant, asks before a feature is created, and tells if it stays off", async () => {
    const [user, feature] = [unusedName("u-adding"), unusedName("wholly.new")];
    await using window = await shop.open("marta.ibanez", { path: `people/${user}` });
    const { page } = window;
    const dialog = page.getByRole("dialog", { name: `Add a feature for ${user}` });
    const submit = (button: string) => dialog.getByRole("button", { name: button, exact: true }).click();
    await page.getByRole("button", { name: "Add feature" }).click();
    await dialog.getByLabel("Feature").fill("chekout.splitbill");
    await submit("Add");
    await dialog.getByText("No feature is called chekout.splitbill.").waitFor();
    await dialog.getByText("Adding it creates a new feature.").waitFor();
    await dialog.getByRole("button", { name: "checkout.split-bill", exact: true }).click();
    await submit("Add");
    await page.getByText(`added for ${user}. It is still off: user lists it, but gate active holds it back.`).waitFor();
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await page.getByRole("button", { name: "Add feature" }).click();
    await dialog.getByLabel("Feature").fill(feature);
    await submit("Add");
    await submit("Create a new feature");
    await page.getByText(`${feature} added for ${user}.`).waitFor();
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    expect(window.faults).toEqual([]);
  });

  it("removes a feature of the user's own set, as their app sees, and undoes it", async () => {
    await change("PUT", "u-48213", "checkout.google-pay");
    await using window = await shop.open("marta.ibanez", { path: "people/u-48213" });
    const { page } = window;
    const isOn = async () => (await explain({ user: "u-48213", features: ["checkout.google-pay"] })).features[0]?.on;
    await page.getByRole("button", { name: "Remove checkout.google-pay" }).click();
    await page.getByText("checkout.google-pay removed for u-48213.").waitFor();
    expect(await isOn()).toBe(false);
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await page.getByRole("button", { name: "Remove checkout.google-pay" }).waitFor();
    expect(await isOn()).toBe(true);
  });

  it("shows a past time as the API returns it, and the changes since", async () => {
    const rule = "/admin/v1/sources/percentage/rules/checkout.express-pay";
    await shop.call("luca.ferri", "PUT", rule, { percentage: 25 });
    await change("PUT", "u-moment", "checkout.express-pay");
    await until(
      async () => (await explain({ user: "u-moment", features: ["checkout.express-pay"] })).features[0]?.on === true,
      "the feature is on",
    );
    const at = await instantText();
    await change("DELETE", "u-moment", "checkout.express-pay");
    await shop.call("luca.ferri", "PUT", rule, { percentage: 24 });
    for (const method of ["PUT", "DELETE"]) {
      await shop.call("jonas.weber", method, "/admin/v1/killed/checkout.express-pay");
    }
    const asked = () => explain({ user: "u-moment", at, features: ["checkout.express-pay"] });
    await until(async () => (await asked()).features[0]?.on === true, "the past is known");
    await using window = await shop.open("noa.levi", {
      path: `people/u-moment?f=checkout.express-pay&mode=at&at=${at}`,
    });
    await chain(window.page, "checkout.express-pay is on").waitFor();
    await chain(window.page, "checkout.express-pay is on")
      .getByTitle((await asked()).features[0]?.message ?? "", { exact: true })
      .waitFor();
    await chain(window.page, "checkout.express-pay is on").getByText("history").first().waitFor();
    await using compared = await shop.open("noa.levi", {
      path: `people/u-moment?mode=compare&at=${at}&with=@now`,
    });
    const comparison = compared.page.getByRole("region", { name: "Comparison" });
    const known = /^\d+ of (\d+ features) on/.exec(
      await compared.page.getByText(/^\d+ of \d+ features on/).innerText(),
    );
    await comparison.getByText(`1 of ${known?.[1]} differs`).waitFor();
    await comparison.getByText("On in A only").waitFor();
    // The kill and its undo leave nothing.
    await comparison.getByText("1 other change between").click();
    await comparison.getByText("Share set to 24 %").waitFor();
    await comparison.getByText("made the difference").waitFor();
    await comparison.getByRole("link", { name: "Removed for u-moment" }).click();
    await compared.page.getByRole("heading", { name: /^Event \d+$/ }).waitFor();
    await compared.visit("people/u-moment?f=checkout.express-pay", "noa.levi");
    const steps = chain(compared.page, "checkout.express-pay is off");
    await steps.getByText("user no longer lists it").waitFor();
    await steps.getByText(/^Removed by marta\.ibanez, /).waitFor();
  });

  describe("has a strip of the days around a moment, where", () => {
    const minutesAgo = (minutes: number) => Math.floor(Date.now() / 60_000 - minutes) * 60_000;
    const parameter = (page: Page, name: string) => new URL(page.url()).searchParams.get(name) ?? "";
    const momentIn = (page: Page) => Date.parse(parameter(page, "at"));
    /** The moments just after the changes for a user. */
    const momentsAfter = async (user: string) => {
      const path = `/events?component=features&affecting=${user}&limit=1000`;
      const { events } = (await shop.call("noa.levi", "GET", path)) as { events: { time: string }[] };
      return events.map(({ time }) => Date.parse(time) + 1);
    };

    it("a mark says what changed, and moves the moment to just after it", async () => {
      const user = unusedName("u-strip");
      await change("PUT", user, "checkout.google-pay");
      await until(async () => (await momentsAfter(user)).length > 0, "the change is in the log");
      const [last] = await momentsAfter(user);
      const path = `people/${user}?mode=at&at=${new Date(minutesAgo(2_880)).toISOString()}`;
      await using window = await shop.open("noa.levi", { path });
      const { page } = window;
      const marks = page.getByRole("list", { name: "Changes" }).getByRole("button");
      await marks.last().click();
      await expect.poll(() => momentIn(page)).toBe(last);
      expect(await marks.last().getAttribute("title")).toMatch(/^\d+ \w{3}, \d\d:\d\d: \S+/);
      expect(window.faults).toEqual([]);
    });

    it("keys move the moment by an hour, by a day, from change to change, and ahead of now", async () => {
      const from = minutesAgo(2_880);
      const path = `people/u-48213?mode=at&at=${new Date(from).toISOString()}`;
      await using window = await shop.open("noa.levi", { path });
      const { page } = window;
      const slider = page.getByRole("slider", { name: "Moment" });
      const [hour, day] = [3_600_000, 86_400_000];
      await slider.press("ArrowLeft");
      await expect.poll(() => momentIn(page)).toBe(from - hour);
      await slider.press("PageUp");
      await expect.poll(() => momentIn(page)).toBe(from - hour + day);
      expect(await slider.getAttribute("aria-valuetext")).toMatch(/^\d+ \w{3}, \d\d:\d\d$/);
      await page.getByRole("list", { name: "Changes" }).getByRole("button").first().waitFor();
      await slider.press("Shift+ArrowRight");
      await expect.poll(() => momentIn(page)).toBeGreaterThan(from + day);
      expect(await momentsAfter("u-48213")).toContain(momentIn(page));
      // The first step stops at now, unless the change is as late.
      const beforeNow = momentIn(page);
      await slider.press("PageUp");
      await expect.poll(() => momentIn(page)).toBeGreaterThan(beforeNow);
      await slider.press("PageUp");
      await expect.poll(() => momentIn(page)).toBeGreaterThan(Date.now());
      await page.getByText("the clock is that of the moment").waitFor();
      expect(Number(await slider.getAttribute("max"))).toBeGreaterThan(momentIn(page));
      expect(window.faults).toEqual([]);
    });

    it("the key End is now, from which a key leads to the future and back", async () => {
      const path = `people/u-48213?mode=at&at=${new Date(minutesAgo(2_880)).toISOString()}`;
      await using window = await shop.open("noa.levi", { path });
      const { page } = window;
      const slider = page.getByRole("slider", { name: "Moment" });
      const isNow = () => Math.abs(momentIn(page) - Date.now()) < 45_000;
      await slider.press("End");
      await expect.poll(isNow).toBe(true);
      await slider.press("ArrowRight");
      await expect.poll(() => momentIn(page)).toBeGreaterThan(Date.now() + 3_000_000);
      await slider.press("ArrowLeft");
      await expect.poll(isNow).toBe(true);
      // A comparison keeps a moment that is more than 30 s old. What the page takes for now is up to 10 s old.
      const isNew = async () => {
        const age = Date.now() - momentIn(page);
        if (age > 12_000) await slider.press("End");
        return age <= 12_000;
      };
      await expect.poll(isNew, { interval: 1_000 }).toBe(true);
      await page
        .getByRole("radio", { name: "Compare" })
        .or(page.getByRole("button", { name: "Compare" }))
        .click();
      await expect.poll(() => momentIn(page)).toBeLessThan(Date.now() - 86_000_000);
      const b = page.getByRole("slider", { name: "Moment B" });
      await b.press("ArrowLeft");
      await expect.poll(() => parameter(page, "with")).toMatch(/^@\d{4}-/);
      await b.press("End");
      await expect.poll(() => parameter(page, "with")).toBe("@now");
      await window.visit("people/u-48213?mode=compare", "noa.levi");
      await expect.poll(() => momentIn(page)).toBeLessThan(Date.now() - 86_000_000);
      expect(window.faults).toEqual([]);
    });

    it("a mark of several changes shows the kill among them", async () => {
      for (const method of ["PUT", "DELETE"])
        await shop.call("jonas.weber", method, "/admin/v1/killed/web.bundle-split");
      const user = unusedName("u-marks");
      await change("PUT", user, "web.bundle-split");
      await change("DELETE", user, "web.bundle-split");
      await until(async () => (await momentsAfter(user)).length > 3, "the changes are in the log");
      await using window = await shop.open("noa.levi", { path: `people/${user}?mode=compare` });
      const last = window.page.getByRole("list", { name: "Changes" }).getByRole("button").last();
      await last.locator("svg.state-text-killed").waitFor();
      expect(window.faults).toEqual([]);
    });

    it("a comparison has two handles, and a click moves the nearer one", async () => {
      const from = minutesAgo(1_440);
      const path = `people/u-48213?mode=compare&at=${new Date(from).toISOString()}`;
      await using window = await shop.open("noa.levi", { path });
      const { page } = window;
      const [a, b] = ["A", "B"].map((letter) => page.getByRole("slider", { name: `Moment ${letter}` }));
      await b?.waitFor();
      expect(await b?.getAttribute("aria-valuetext")).toMatch(/, now$/);
      await b?.press("ArrowLeft");
      await expect.poll(() => parameter(page, "with")).toMatch(/^@\d{4}-/);
      await b?.press("ArrowRight");
      await expect.poll(() => parameter(page, "with")).toBe("@now");
      await page.locator(".time-strip-axis").click({ position: { x: 60, y: 12 } });
      await expect.poll(() => momentIn(page)).toBeLessThan(from);
      expect(parameter(page, "with")).toBe("@now");
      expect(await a?.getAttribute("aria-valuetext")).not.toContain("now");
      expect(window.faults).toEqual([]);
    });
  });

  it("lists what two sides get alike, with the reasons", async () => {
    await using window = await shop.open("noa.levi", { path: "people/u-48213?mode=compare&with=u-48319@now" });
    const { page } = window;
    const comparison = page.getByRole("region", { name: "Comparison" });
    await comparison.locator(".compare-feature").first().waitFor();
    const differing = await comparison.locator(".compare-feature").allInnerTexts();
    await comparison.getByRole("button", { name: /^Same \d+$/ }).click();
    const same = comparison.getByRole("button", { expanded: false });
    await same.first().waitFor();
    const names = await same.locator(".strong").allInnerTexts();
    expect(names.filter((name) => differing.includes(name))).toEqual([]);
    await same.first().click();
    await chain(page, `${names[0]} is on`).waitFor();
  });

  it("takes moments in one format in every language of the browser", async () => {
    const path = "people/u-48213?mode=at&at=2026-11-03T09:00:30Z";
    await using window = await shop.open("noa.levi", { path, locale: "en-US" });
    const { page } = window;
    const moment = page.getByLabel("Moment", { exact: true }).and(page.getByRole("textbox"));
    expect(await moment.inputValue()).toBe("2026-11-03 10:00:30");
    const at = () => new URL(page.url()).searchParams.get("at");
    await moment.fill("2026-04-31 9:15");
    await page.keyboard.press("Tab");
    await page.getByText("Write it as 2026-11-28 18:00.").waitFor();
    expect(at()).toBe("2026-11-03T09:00:30Z");
    await moment.fill("2026-04-30 9:15");
    await expect.poll(at).toBe("2026-04-30T07:15:00.000Z");
    expect(await moment.inputValue()).toBe("2026-04-30 9:15");
    const error = page.getByText("Write it as 2026-11-28 18:00.");
    for (const text of ["garbage", ""]) {
      await moment.fill(text);
      await moment.press("Enter");
      await error.waitFor();
      expect(at()).toBe("2026-04-30T07:15:00.000Z");
    }
    await moment.fill("2026-04-29");
    await moment.press("Enter");
    await expect.poll(at).toBe("2026-04-28T22:00:00.000Z");
    expect(await moment.inputValue()).toBe("2026-04-29 00:00");
    expect(await error.count()).toBe(0);
    await window.visit("people/u-48213?mode=compare&at=2026-11-03T09:00:30Z&with=@2026-11-04T09:00:00Z", "noa.levi");
    const other = page.getByLabel("Moment B", { exact: true }).and(page.getByRole("textbox"));
    await other.fill("");
    await other.press("Enter");
    await expect.poll(() => new URL(page.url()).searchParams.get("with")).toBe("@now");
    expect(window.faults).toEqual([]);
  });

  it("finds the user of a token without the token in a URL", async () => {
    const { token } = (await shop.call("sofia.admin", "POST", "/admin/v1/users/u-token/tokens")) as {
      token: string;
    };
    await using window = await shop.open("noa.levi", { path: "people" });
    const { page } = window;
    const urls: string[] = [];
    page.on("request", (request) => urls.push(request.url()));
    await page.getByRole("combobox", { name: "User id, or paste a token" }).fill(token);
    await page.getByRole("button", { name: "Look up" }).click();
    await page.getByRole("heading", { name: "u-token", level: 1 }).waitFor();
    expect([page.url(), ...urls].filter((url) => url.includes(token))).toEqual([]);
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(token);
  });

  it("finds the user of a token that is as short as an id", async () => {
    await shop.call("sofia.admin", "POST", "/admin/v1/users/u-short/tokens", { token: "1234" });
    await using window = await shop.open("noa.levi", { path: "people" });
    const { page } = window;
    await page.getByRole("combobox", { name: "User id, or paste a token" }).fill("1234");
    await page.getByRole("button", { name: "Look up" }).click();
    await page.getByRole("heading", { name: "u-short", level: 1 }).waitFor();
    await page.getByText("This is a token of u-short.").waitFor();
  });

  it.each([
    "people/u-48213?mode=at&at=%2B275760-09-13T00:00:00Z",
    "people/u-48213?mode=at&at=-271821-04-20T00:00:00Z",
    "people/u-48213?mode=at&at=garbage",
    "people/u-48213?mode=compare&at=x&with=@@@",
  ])("shows a page for the crafted link %s", async (path) => {
    await using window = await shop.open("noa.levi", { path });
    await window.page.getByRole("heading", { level: 1 }).waitFor();
    expect(await window.page.getByText("This page failed").count()).toBe(0);
  });

  it("tells that a link leads nowhere", async () => {
    await using window = await shop.open("noa.levi");
    for (const path of ["people/~", "features/~", "system/constructor", "constructor/x", "nothing"]) {
      await window.visit(path, "noa.levi");
      await window.page.getByRole("heading", { name: "Nothing is here", level: 1 }).waitFor();
      expect([path, await window.page.title()]).toEqual([path, "Tidegate"]);
    }
    expect(window.faults).toEqual([]);
  });

  it("issues a token that works, shows it once, and revokes it after a confirmation", async () => {
    const user = unusedName("u-drawer");
    await using window = await shop.open("sofia.admin", { path: `people/${user}` });
    const { page } = window;
    const drawer = page.getByRole("dialog", { name: `Tokens of ${user}` });
    await page.getByRole("button", { name: "Tokens" }).click();
    await drawer.getByRole("button", { name: "Issue a token" }).click();
    const token = await drawer.getByRole("status").locator("code").innerText();
    await drawer.getByRole("button", { name: "Done" }).click();
    const status = async () => (await shop.service.get("/features", bearer(token))).status;
    expect(await status()).toBe(200);
    await drawer.getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "Tokens" }).click();
    await drawer.getByRole("button", { name: /^Revoke / }).click();
    expect(await drawer.getByText(token).count()).toBe(0);
    await drawer.getByRole("button", { name: "Revoke", exact: true }).click();
    await page.getByText("Token revoked.").waitFor();
    await until(async () => (await status()) === 401, "the token is refused");
  });

  it("issues one token for a double click, marks its row, and asks before it is lost", async () => {
    const user = unusedName("u-twice");
    await using window = await shop.open("sofia.admin", { path: `people/${user}` });
    const { page } = window;
    const drawer = page.getByRole("dialog", { name: `Tokens of ${user}` });
    const question = drawer.getByText("Close without copying the new token?");
    await page.getByRole("button", { name: "Tokens" }).click();
    await drawer.getByRole("button", { name: "Issue a token" }).dblclick();
    const row = drawer.getByRole("listitem").filter({ hasText: "shown above" });
    await row.waitFor();
    const tokens = await tokensOf(user);
    expect(tokens.length).toBe(1);
    expect(await row.innerText()).toContain(tokens[0]?.id.slice(-9));
    expect(await drawer.getByRole("button", { name: "Issue a token" }).count()).toBe(0);
    for (const leave of [() => page.keyboard.press("Escape"), () => page.mouse.click(5, 5)]) {
      await leave();
      await question.waitFor();
      await drawer.getByRole("button", { name: "Keep open" }).click();
    }
    await drawer.getByRole("button", { name: "Copy" }).click();
    await drawer.getByRole("button", { name: "Copied" }).waitFor();
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    expect(window.faults).toEqual([]);
  });

  it("shows each user under an address of its own, also for odd ids", async () => {
    const feature = "checkout.google-pay";
    await using window = await shop.open("noa.levi", { path: "people" });
    const { page } = window;
    for (const id of ["a/b", ".", "..", "-", "~-", "50 %", "%2F", "ана 🦊", "a?b#c&d=e@f"]) {
      await change("PUT", encodeURIComponent(id), feature);
      const isShown = async () => {
        await page.getByRole("heading", { name: id, level: 1, exact: true }).waitFor();
        await page.getByText(feature).waitFor();
      };
      await page.getByRole("link", { name: "People" }).first().click();
      await page.getByRole("combobox", { name: "User id, or paste a token" }).fill(id);
      await page.getByRole("button", { name: "Look up" }).click();
      await isShown();
      await window.reload();
      await isShown();
    }
  });

  it.each([".", "~..", "a/b?c=d#e %2F 🎉"])("opens and changes the user and feature %j", async (id) => {
    // A repeated test finds what its first run left.
    for (const token of await tokensOf(id)) {
      await shop.call("sofia.admin", "DELETE", `${tokensPath(id)}/${token.id}`);
    }
    await shop.call("sofia.admin", "DELETE", `/admin/v1/killed/${pathSegment(id)}`);
    await using window = await shop.open("sofia.admin", { path: "people" });
    const { page } = window;
    await page.getByRole("main").getByRole("combobox").fill(id);
    await page.getByRole("button", { name: "Look up" }).click();
    await page.getByRole("heading", { name: id, level: 1 }).waitFor();
    await page.getByRole("button", { name: "Tokens" }).click();
    await page.getByRole("button", { name: "Issue a token" }).click();
    await page.getByText("Copy it now.").waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await page.keyboard.press("Escape");
    await page.getByText("1 token").waitFor();
    await window.reload();
    await page.getByText("1 token").waitFor();
    // Other tools may grant a key that the page does not create.
    await shop.call("sofia.admin", "PUT", `/admin/v1/catalogue/${pathSegment(id)}`, { description: "Of another tool" });
    await page.getByRole("link", { name: "Features" }).first().click();
    await page.getByRole("textbox", { name: "Filter features" }).fill(id);
    await page.getByRole("link", { name: id, exact: true }).click();
    await page.getByRole("heading", { name: id, level: 1 }).waitFor();
    await page.getByRole("button", { name: "Kill for everyone…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Kill for everyone" }).click();
    await page.getByText(`Killed ${id}.`).waitFor();
    await window.reload();
    await page.getByRole("button", { name: "Undo kill" }).first().waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
    expect(window.faults).toEqual([]);
  });

  it("shows an id that is named like a script as text", async () => {
    const id = "<img src=x onerror=document.title='run'>";
    await using window = await shop.open("noa.levi", { path: `people/${encodeURIComponent(id)}` });
    await window.page.getByRole("heading", { name: id, level: 1 }).waitFor();
    expect(await window.page.title()).toBe(`${id} · Tidegate`);
    expect(window.faults).toEqual([]);
  });
});
