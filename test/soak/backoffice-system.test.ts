import { describe, expect, it } from "vitest";
import { shopTests } from "../backoffice/support/shop-tests.ts";

const shop = shopTests({ isEmpty: true });

describe("the page of the system", () => {
  it("shows charts with a summary in words, and their numbers as a table", async () => {
    await using window = await shop.open("noa.levi");
    const { page } = window;
    const point = { evaluationsPerSecond: 2, p50Ms: 0.2, hitRate: 1, streams: 0 };
    const points = [
      { ...point, start: "2026-11-29T09:00:00.000Z", requestsPerSecond: 3, p99Ms: 1.8 },
      { ...point, start: "2026-11-29T09:00:15.000Z", requestsPerSecond: 21_400, p99Ms: 0.84 },
    ];
    await page.route("**/admin/v1/system/history", (route) => route.fulfill({ json: { stepSeconds: 15, points } }));
    await page.goto(`${shop.service.url}/backoffice/system`);
    const summary = "Highest p99 1.8 ms at 10:00:00; last p99 0.84 ms, p50 0.2 ms.";
    await page.getByRole("img", { name: summary }).locator("canvas").waitFor();
    await page.getByRole("button", { name: "Table: Latency, ms" }).click();
    const numbers = page.getByRole("region", { name: "Latency, ms, as a table" });
    await numbers.getByRole("row", { name: "10:00:15 0.2 0.84" }).waitFor();
    expect(window.faults).toEqual([]);
  });

  it("draws no chart where no two values follow each other, and shows their numbers", async () => {
    await using window = await shop.open("noa.levi");
    const { page } = window;
    const point = { requestsPerSecond: 3, evaluationsPerSecond: 0, hitRate: null, streams: 0 };
    const points = [
      { ...point, start: "2026-11-29T09:00:00.000Z", p50Ms: 0.2, p99Ms: 1.8 },
      { ...point, start: "2026-11-29T09:00:15.000Z", p50Ms: null, p99Ms: null },
    ];
    await page.route("**/admin/v1/system/history", (route) => route.fulfill({ json: { stepSeconds: 15, points } }));
    await page.goto(`${shop.service.url}/backoffice/system`);
    await page
      .getByRole("img", { name: "Between 3 and 3 requests per second in the last hour, 3 in the last 15 seconds." })
      .locator("canvas")
      .waitFor();
    await page.getByText("Highest p99 1.8 ms at 10:00:00; last p99 1.8 ms, p50 0.2 ms.").waitFor();
    expect(await page.locator("canvas").count()).toBe(1);
    await page.getByRole("button", { name: "Table: Latency, ms" }).click();
    await page.getByRole("row", { name: "10:00:15 none none" }).waitFor();
  });

  it("names the time of its figures, and says why requests without evaluations have no latency", async () => {
    await using window = await shop.open("noa.levi");
    const { page } = window;
    const point = {
      requestsPerSecond: 5.5,
      evaluationsPerSecond: 0,
      p50Ms: null,
      p99Ms: null,
      hitRate: null,
      streams: 0,
    };
    const starts = ["2026-11-29T09:00:00.000Z", "2026-11-29T09:00:15.000Z"];
    const points = starts.map((start) => ({ ...point, start }));
    await page.route("**/admin/v1/system/history", (route) => route.fulfill({ json: { stepSeconds: 15, points } }));
    await page.goto(`${shop.service.url}/backoffice/system`);
    await page.getByText("Only evaluations have a latency, and the last hour had none.").waitFor();
    const figures = page.getByRole("list", { name: "Figures" }).getByRole("listitem");
    await figures.filter({ hasText: "Requests" }).getByText("last minute").waitFor();
    await figures.filter({ hasText: "Open streams" }).getByText("now").waitFor();
  });

  it("marks a stale source in the verdict, the table and the navigation", async () => {
    await using window = await shop.open("noa.levi");
    const { page } = window;
    await page.route("**/admin/v1/system", async (route) => {
      const response = await route.fetch();
      const system = (await response.json()) as { sources: { stale: boolean; error: string }[] };
      Object.assign(system.sources[0] ?? {}, { stale: true, error: "<b>HTTP 503</b>" });
      await route.fulfill({ response, json: system });
    });
    await page.goto(`${shop.service.url}/backoffice/system`);
    await page.getByText("Serving, with 1 stale source.").waitFor();
    await page
      .getByRole("row", { name: /^global/ })
      .getByText("<b>HTTP 503</b>")
      .waitFor();
    await page.getByRole("link", { name: /System 1 stale/ }).waitFor();
  });

  it("lists the instances, and those that no longer answer", async () => {
    const system = (await shop.call("noa.levi", "GET", "/admin/v1/system")) as {
      readonly at: string;
      readonly instances: readonly object[];
    };
    const lastSeen = new Date(Date.parse(system.at) - 150_000).toISOString();
    const other = { ...system.instances[0], host: "tidegate-b", workers: [7, 8], lastSeen, own: false };
    const shown = { ...system, instances: [...system.instances, other], instancesMissing: 2 };
    await using window = await shop.open("noa.levi");
    const { page } = window;
    await page.route("**/admin/v1/system", (route) => route.fulfill({ json: shown }));
    await page.goto(`${shop.service.url}/backoffice/system`);
    const instances = page.getByRole("region", { name: "Instances" });
    await instances.getByRole("row", { name: /this one .* now$/ }).waitFor();
    await instances.getByRole("row", { name: /^tidegate-b, process \d+ .* 2 .* no answer, 2 min ago$/ }).waitFor();
    await page.getByText("2 connections to the store did not answer within a second.").waitFor();
    expect(window.faults).toEqual([]);
  });

  it("polls the state while it is shown", async () => {
    await using window = await shop.open("noa.levi", { path: "system" });
    const { page } = window;
    await page.getByText("Results are fresh").waitFor();
    for (const _ of [1, 2]) await page.waitForResponse((response) => response.url().endsWith("/admin/v1/system"));
    expect(window.faults).toEqual([]);
  });
});
