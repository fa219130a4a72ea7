import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { isLive, openWindow } from "../backoffice/support/browser.ts";
import { shopTests } from "../backoffice/support/shop-tests.ts";
import { unusedName } from "../backoffice/support/unused-name.ts";
import { adminToken } from "../support/operator.ts";
import { startRedis } from "../support/redis.ts";
import { bearer, redisRules, startService } from "../support/service.ts";
import { until } from "../support/until.ts";

const shop = shopTests();

const rowOf = (page: Page, text: string) => page.getByRole("listitem").filter({ hasText: text });

describe("the page of events", () => {
  it("shows a bulk change as one entry, and reverts all of it but what changed since", async () => {
    const feature = unusedName("bulk.probe");
    const changes = ["u-1", "u-2", "u-3"].map((userId) => ({
      source: "user",
      context: { userId },
      add: [feature],
    }));
    await shop.call("luca.ferri", "POST", "/admin/v1/changes", { changes });
    await using window = await shop.open("marta.ibanez", { path: "events?days=all" });
    const { page } = window;
    const bulk = rowOf(page, `${feature} added for 3 users`);
    await bulk.getByRole("button").click();
    await bulk.getByText(`${feature} added for u-2`, { exact: true }).waitFor();
    await shop.call("luca.ferri", "DELETE", `/admin/v1/sources/user/features/${feature}?userId=u-2`);
    await shop.call("luca.ferri", "PUT", `/admin/v1/sources/user/features/${feature}?userId=u-2`);
    await bulk.getByRole("button", { name: "Revert all 3…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revert all 3", exact: true }).click();
    await page.getByText("2 changes reverted. 1 change skipped: changed since.").waitFor();
    await rowOf(page, "Reverts an earlier change").first().getByText("page", { exact: true }).waitFor();
    expect(window.faults).toEqual([]);
  });

  it("filters by kind, by what a change was made with, and by text, in the address too", async () => {
    await using window = await shop.open("noa.levi", { path: "events?days=all" });
    const { page } = window;
    await rowOf(page, "checkout.address-autocomplete killed").first().waitFor();
    await page.getByRole("button", { name: "Kind" }).click();
    await page
      .getByRole("menuitemradio", { name: "Rules and descriptions" })
      .or(page.getByRole("menuitem", { name: "Rules and descriptions" }))
      .click();
    await rowOf(page, "Share of web.bundle-split").first().waitFor();
    await until(async () => (await rowOf(page, "killed").count()) === 0, "changes of sets are left out");
    expect(new URL(page.url()).searchParams.get("type")).toBe("document");
    await page.goto(`${shop.service.url}/backoffice/events?days=all&origin=external`);
    await page.getByText("No event matches.").waitFor();
    await page.goto(`${shop.service.url}/backoffice/events?days=all&via=cli`);
    await page.getByText("No event matches.").waitFor();
    await page.getByRole("button", { name: "Made with the CLI" }).click();
    await page.getByRole("menuitemradio", { name: "Made with the API" }).click();
    await rowOf(page, "checkout.address-autocomplete killed").first().waitFor();
    expect(new URL(page.url()).searchParams.get("via")).toBe("api");
    await page.goto(`${shop.service.url}/backoffice/events?days=all&type=nonsense`);
    await rowOf(page, "checkout.address-autocomplete killed").first().waitFor();
    await page.getByRole("textbox", { name: /^Filter by message/ }).fill("u-48213");
    await rowOf(page, "for u-48213").first().waitFor();
    expect(window.faults).toEqual([]);
  });

  it("shows what a share was before, also if the earlier change is not in the list", async () => {
    const feature = unusedName("before.probe");
    const path = `/admin/v1/sources/percentage/rules/${feature}`;
    await shop.call("luca.ferri", "PUT", path, { percentage: 25 });
    await shop.call("marta.ibanez", "PUT", path, { percentage: 60 });
    await using window = await shop.open("noa.levi", { path: `events?q=${feature}&by=marta.ibanez` });
    await rowOf(window.page, `Share of ${feature} 25 % to 60 %`).waitFor();
    expect(await window.page.locator(".event-row").count()).toBe(1);
  });

  it("filters the kills, and names the user of a change that was made already", async () => {
    const [feature, user] = [unusedName("twice.probe"), unusedName("u-twice")];
    const path = `/admin/v1/sources/user/features/${feature}?userId=${user}`;
    for (const _ of [1, 2]) await shop.call("luca.ferri", "PUT", path);
    await using window = await shop.open("noa.levi", { path: "events?days=all" });
    const { page } = window;
    await rowOf(page, `${feature} added for ${user}`).waitFor();
    await page.getByRole("button", { name: "Kind" }).click();
    await page.getByRole("menuitemradio", { name: "Kills and undone kills" }).click();
    await until(async () => (await rowOf(page, feature).count()) === 0, "changes of other sets are left out");
    await rowOf(page, "checkout.address-autocomplete killed").first().waitFor();
    await page.getByRole("button", { name: "Kills and undone kills" }).click();
    await page.getByRole("menuitemradio", { name: "All kinds" }).click();
    await rowOf(page, `${feature} added for ${user}`).waitFor();
    await rowOf(page, `for ${user}: nothing changed`).waitFor();
    expect(await page.getByText(/^features:.*nothing changed/).count()).toBe(0);
    const changes = [user, "u-78", "u-79"].map((userId) => ({
      source: "user",
      context: { userId },
      add: [feature],
    }));
    await shop.call("luca.ferri", "POST", "/admin/v1/changes", { changes });
    await rowOf(page, `${feature} added for 2 users`).waitFor();
    expect(window.faults).toEqual([]);
  });

  it("counts new events while it is paused, and shows them when it is resumed", async () => {
    const feature = unusedName("paused.probe");
    await using window = await shop.open("noa.levi", { path: "events?days=all" });
    const { page } = window;
    await rowOf(page, "checkout.address-autocomplete killed").first().waitFor();
    await isLive(page);
    await page.getByRole("button", { name: "Live", exact: true }).click();
    await shop.call("luca.ferri", "PUT", `/admin/v1/sources/global/features/${feature}`);
    await page.getByRole("button", { name: "Resume, 1 new" }).waitFor();
    expect(await rowOf(page, feature).count()).toBe(0);
    await page.getByRole("button", { name: "Resume, 1 new" }).click();
    await rowOf(page, `${feature} added for everyone`).filter({ hasText: "API" }).waitFor();
    expect(window.faults).toEqual([]);
  });

  it("verifies the log, and has a page for each event", async () => {
    await using window = await shop.open("noa.levi", { path: "events?days=all" });
    const { page } = window;
    await page.getByRole("button", { name: "Verify the log" }).click();
    const dialog = page.getByRole("dialog", { name: "Verify the event log" });
    await dialog.getByText(/^\d+ events verified, up to event \d+\. None was altered\.$/).waitFor();
    await dialog.getByText(/^[0-9a-f]{64}$/).waitFor();
    await dialog.getByRole("button", { name: "Done" }).click();
    const killed = rowOf(page, "checkout.address-autocomplete killed").first();
    await killed.getByRole("button").click();
    await killed.getByRole("link", { name: /^event \d+$/ }).click();
    await page.getByText(/ by jonas\.weber, API: “/).waitFor();
    await page.getByRole("link", { name: "See the state before it" }).waitFor();
    expect(await page.getByRole("link", { name: /^event \d+$/ }).count()).toBe(0);
    const position = new URL(page.url()).pathname.split("/").at(-1);
    await page.getByRole("heading", { name: `Event ${position}`, level: 1 }).waitFor();
    await page.getByText("checkout.address-autocomplete killed", { exact: true }).waitFor();
    await page.goto(`${shop.service.url}/backoffice/events/999999`);
    await page.getByText("The log has no event 999999.").waitFor();
    expect(window.faults).toEqual([]);
  });

  it("shows who got a credential, and never its digest", async () => {
    await using window = await shop.open("noa.levi", { path: "events?days=all&type=credential" });
    const { page } = window;
    const added = rowOf(page, "Credential luca.ferri added, scope editor");
    await added.getByRole("button").click();
    await added.getByText('"scope": "editor"').waitFor();
    expect(await page.getByText("digest").count()).toBe(0);
    expect(await rowOf(page, "killed").count()).toBe(0);
  });

  it("says that the event log is unavailable", async () => {
    await using window = await shop.open("noa.levi");
    const { page } = window;
    const problem = { status: 503, code: "log-unavailable", title: "Event log unavailable" };
    await page.route("**/events?*", (route) =>
      route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify(problem) }),
    );
    await page.goto(`${shop.service.url}/backoffice/events`);
    await page.getByText("The event log is unavailable.").waitFor();
  });

  // The last one: its events push those of the shop off the first page.
  it("completes a bulk change at the end of the loaded events", async () => {
    const feature = unusedName("edge.probe");
    const users = Array.from({ length: 30 }, (_, index) => `edge-${index}`);
    const changes = users.map((userId) => ({ source: "user", context: { userId }, add: [feature] }));
    await shop.call("luca.ferri", "POST", "/admin/v1/changes", { changes });
    const path = `/admin/v1/sources/percentage/rules/${feature}`;
    for (let percentage = 0; percentage < 90; percentage++) await shop.call("luca.ferri", "PUT", path, { percentage });
    await using window = await shop.open("noa.levi", { path: `events?feature=${feature}` });
    const { page } = window;
    await page.getByText(`${feature} added for 30 users`, { exact: true }).waitFor();
    expect(window.faults).toEqual([]);
  });
});

describe("with features in Redis", () => {
  it("the page of events shows an edit made with redis-cli, without reloading, and reverts it", async () => {
    await using redis = await startRedis();
    await using service = await startService(redisRules(redis.url, redis.url), { TIDEGATE_ADMIN_TOKEN: adminToken });
    const credentials = { ...shop.credentials, "sofia.admin": adminToken };
    await redis.client.sadd("global_features", "made.before");
    await using window = await openWindow(shop.browser, { service, credentials }, "sofia.admin", { path: "events" });
    const { page } = window;
    await isLive(page);
    const isRecorded = async () => {
      await service.get("/features");
      const events = await service.get("/events?key=global_features", bearer(adminToken));
      return (await events.text()).includes("made.before");
    };
    await until(isRecorded, "the set is recorded after it was read");
    await redis.client.sadd("global_features", "made.by-hand");
    const edited = rowOf(page, "made.by-hand added for everyone");
    await edited.getByText("edited outside").waitFor();
    await edited.getByText("unknown").waitFor();
    await edited.getByRole("button").click();
    await edited.getByRole("button", { name: "Revert…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revert", exact: true }).click();
    await page.getByText("1 change reverted.").waitFor();
    expect(await redis.client.smembers("global_features")).toEqual(["made.before"]);
    expect(window.faults).toEqual([]);
  });
});

describe("the command bar", () => {
  it("opens features and users, leads to a kill and an explanation, and runs commands, by keyboard", async () => {
    await using window = await shop.open("marta.ibanez", { path: "features" });
    const { page } = window;
    const field = page.getByRole("combobox", { name: /^Search features and users/ });
    const choice = (name: string | RegExp) => page.getByRole("option", { name, selected: true });
    const open = async (text: string) => {
      await page.keyboard.press("Control+k");
      await field.fill(text);
    };
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    await open("split-bill");
    await choice(/^checkout\.split-bill/).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "checkout.split-bill" }).waitFor();

    await open("@u-48213");
    await choice(/u-48213/).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "u-48213", level: 1 }).waitFor();

    await open("> kill split-bill");
    await choice(/^Kill checkout\.split-bill/).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Kill checkout.split-bill?" }).waitFor();
    await page.keyboard.press("Escape");

    await open("explain express-pay @u-48213");
    await choice(/^Explain checkout\.express-pay/).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "u-48213", level: 1 }).waitFor();
    expect(new URL(page.url()).searchParams.get("f")).toBe("checkout.express-pay");

    await open("> system");
    await choice("Go to System").waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "System", level: 1 }).waitFor();
    expect(window.faults).toEqual([]);
  });

  it("undoes a kill by name, finds commands by their words, and says that there is nothing to undo", async () => {
    const key = "checkout.address-autocomplete";
    await shop.call("jonas.weber", "PUT", `/admin/v1/killed/${key}`);
    await using window = await shop.open("marta.ibanez", { path: "features" });
    const { page } = window;
    const open = async (text: string) => {
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox", { name: /^Search features and users/ }).fill(text);
    };
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    await page.keyboard.press("u");
    await page.getByText("Nothing to undo here. Revert a change on its event.").waitFor();
    await open("> go system");
    await page.getByRole("option", { name: "Go to System", selected: true }).waitFor();
    for (const text of [key, `> unkill ${key}`, `> undo ${key}`]) {
      await page.keyboard.press("Escape");
      await open(text);
      await page.getByRole("option", { name: `Undo the kill of ${key}` }).waitFor();
    }
    await page.keyboard.press("Enter");
    await page.getByText(`${key} is back exactly as it was.`).waitFor();
    expect(window.faults).toEqual([]);
  });

  it("offers no kill to a viewer", async () => {
    await using window = await shop.open("noa.levi", { path: "features" });
    const { page } = window;
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("split-bill");
    await page.getByRole("option", { name: /^checkout\.split-bill/ }).waitFor();
    expect(await page.getByRole("option", { name: /^Kill/ }).count()).toBe(0);
  });
});
