import { it } from "vitest";
import { readsManyEvents } from "../support/many-events.ts";

it("a feed of over 25 MB is read", async () => {
  await readsManyEvents({ events: 2_000, zones: 200 });
});
