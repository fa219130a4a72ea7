import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admin, ask, embeddedLog, find, order, postEvent, type Shown } from "../../../support/event-calls.ts";
import { bearer, startService, type TestService } from "../../../support/service.ts";
import { until } from "../../../support/until.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService(embeddedLog, { TIDEGATE_ADMIN_TOKEN: admin });
});
afterAll(() => service[Symbol.asyncDispose]());

/** Parses CSV by RFC 4180. */
function rowsOf(csv: string): string[][] {
  const cells = csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g);
  const rows: string[][] = [[]];
  for (const [, quoted, plain = "", end] of cells) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === "\r\n") rows.push([]);
  }
  return rows.slice(0, -1);
}

const exported = async (query: string, headers: Record<string, string> = {}) => {
  const response = await ask(service, `/events/export${query}`, headers);
  return { status: response.status, headers: response.headers, text: await response.text() };
};

describe("an export", () => {
  it("has all matching events, oldest first, as in GET /events", async () => {
    const notified: Shown[] = [];
    for (let count = 0; count < 3; count++) notified.push(await postEvent(service, { ...order, component: "lines" }));
    const { status, headers, text } = await exported("?component=lines");
    expect([status, headers.get("content-type")]).toEqual([200, "application/x-ndjson; charset=utf-8"]);
    expect(headers.get("content-disposition")).toBe('attachment; filename="events.ndjson"');
    expect(text).toBe(notified.map((event) => `${JSON.stringify(event)}\n`).join(""));
    expect((await exported("?component=nothing")).text).toBe("");
  });

  it("can be longer than one page", async () => {
    await Promise.all(Array.from({ length: 250 }, () => postEvent(service, { ...order, component: "long" })));
    const lines = (await exported("?component=long")).text.trim().split("\n");
    const positions = lines.map((line) => (JSON.parse(line) as Shown).position);
    expect([lines.length, new Set(positions).size]).toEqual([250, 250]);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  });

  it("is valid CSV (RFC 4180) for any content", async () => {
    const odd = ['a "quoted" word', "a, b", "two\r\nlines", "ä 😀", "'", '"'];
    for (const message of odd)
      await postEvent(service, { ...order, component: "csv", message, data: { "a,b": '"\n' } });
    const { headers, text } = await exported("?component=csv&format=csv");
    expect(headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(headers.get("content-disposition")).toBe('attachment; filename="events.csv"');
    const [names = [], ...rows] = rowsOf(text);
    const { events } = await find(service, "/events?component=csv");
    expect(rows.map((row) => Object.fromEntries(row.map((value, index) => [names[index], value])))).toEqual(
      events.toReversed().map((event) => ({
        ...event,
        position: `${event.position}`,
        data: JSON.stringify(event.data),
        store: "",
        key: "",
        revision: "",
      })),
    );
    expect((await exported("?component=nothing&format=csv")).text).toBe(`${names.join(",")}\r\n`);
  });

  it.each([
    "=cmd|' /C calc'!A0",
    "+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    " =1",
    "\u00a0\ufeff=1",
    "\n=1",
    "＝1",
    "\u3000＝1",
    "＠SUM(1)",
    "\u200b=1",
  ])("contains no formula for spreadsheets: %j", async (formula) => {
    const component = `x${Math.random()}`;
    await postEvent(service, { ...order, component, message: formula });
    const [names = [], row = []] = rowsOf((await exported(`?component=${component}&format=csv`)).text);
    expect(row[names.indexOf("message")]).toBe(`'${formula}`);
    expect(row.filter((value) => /^[=+\-@\t\r]/.test(value))).toEqual([]);
  });

  it.each([
    ["nothing", {}, "application/x-ndjson"],
    ["everything", { accept: "*/*" }, "application/x-ndjson"],
    ["CSV", { accept: "text/csv" }, "text/csv"],
    ["CSV rather", { accept: "application/x-ndjson;q=0.5, text/*" }, "text/csv"],
  ])("follows Accept by default: %s", async (_, headers: Record<string, string>, type) => {
    const { headers: answered } = await exported("?component=none", headers);
    expect([answered.get("content-type"), answered.get("vary")]).toEqual([`${type}; charset=utf-8`, "Accept"]);
  });

  it("is rejected for other types and formats", async () => {
    const html = await exported("", { accept: "text/html" });
    expect([html.status, JSON.parse(html.text).code]).toEqual([406, "not-acceptable"]);
    const xml = await exported("?format=xml");
    expect([xml.status, JSON.parse(xml.text)]).toEqual([
      400,
      expect.objectContaining({ code: "invalid-query", detail: expect.stringContaining("ndjson, csv") }),
    ]);
    expect((await exported("?format=csv", { accept: "text/html" })).status).toBe(200);
  });

  it("is marked as incomplete for a reader that disconnects, and continues for others", async () => {
    const large = { ...order, component: "large", data: { text: "x".repeat(60_000) } };
    await Promise.all(Array.from({ length: 84 }, () => postEvent(service, large)));
    for (let count = 0; count < 10; count++) {
      const closed = await new Promise<boolean>((resolve, reject) => {
        const asked = request(`${service.url}/events/export`, { headers: bearer(admin) }, (answer) => {
          answer.once("data", () => answer.destroy()).once("close", () => resolve(!answer.complete));
        });
        asked.on("error", reject).end();
      });
      expect(closed).toBe(true);
    }
    await until(async () => (await exported("?component=lines")).status === 200, "another is answered");
  });
});
