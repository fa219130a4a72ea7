import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "vitest";
import { document, startFeedServer } from "./feed-server.ts";
import { startService } from "./service.ts";
import { until } from "./until.ts";

/** The test that a service reads a document of events with zones, more than 1,000, and returns a page of 1,000. */
export async function readsManyEvents({ events, zones }: { readonly events: number; readonly zones: number }) {
  const zone = (id: number) =>
    `<zone zone_id="${id}" capacity="100" price="${id + 10}.00" name="Zone ${id}" numbered="false"/>`;
  const all = Array.from({ length: zones }, (_, id) => zone(id)).join("");
  const event = (id: number) =>
    `<base_event base_event_id="${id}" sell_mode="online" title="Event ${id}"><event event_start_date="2021-06-30T21:00:00" event_end_date="2021-06-30T22:00:00" event_id="${id}" sell_from="2020-07-01T00:00:00" sell_to="2021-06-30T20:00:00" sold_out="false">${all}</event></base_event>`;
  const output = Array.from({ length: events }, (_, id) => event(id)).join("");
  const body = Buffer.from(`<eventList version="1.0"><output>${output}</output></eventList>`);
  const example = readFileSync(resolve(import.meta.dirname, "../../config/examples/fever.yaml"), "utf8");
  await using feedServer = await startFeedServer(document(body, "text/xml"));
  await using service = await startService(example.replace("format: xml", "allow: [127.0.0.1]"), {
    FEVER_URL: feedServer.url,
  });
  const found = async () => {
    const { data } = (await (await service.get("/search?limit=1000")).json()) as { data: { events: unknown[] } };
    return data.events.length;
  };
  await until(async () => (await found()) >= 1_000, "the events are read", 150_000);
  expect(await found()).toBe(1_000);
}
