import { expect, it } from "vitest";
import { json, startFeedServer } from "../support/feed-server.ts";
import { startRedis } from "../support/redis.ts";
import { startService } from "../support/service.ts";
import { until } from "../support/until.ts";

const show = (title: string) => ({ id: 1, name: title, from: "2020-01-01", to: "2999-01-01" });

it("one instance polls a feed for all instances on a store, and another takes over when it ends", async () => {
  await using redis = await startRedis();
  await using feedServer = await startFeedServer(json({ shows: [show("first")] }));
  const yaml = `
connections: { features: { kind: redis, url: "${redis.url}" } }
sources:
  - name: shows
    kind: feed
    connection: features
    pollSeconds: 2
    document: { url: "${feedServer.url}", allow: [127.0.0.1] }
    item: { at: shows, id: "{id}", title: name, window: { start: from, end: to }, features: ["show:{id}"] }
`;
  const services = [await startService(yaml), await startService(yaml), await startService(yaml)] as const;
  const all = async (path: string, wanted: string) => {
    const texts = await Promise.all(services.map(async (service) => (await service.get(path)).text()));
    return texts.every((text) => text.includes(wanted));
  };
  await until(() => all("/features", "show:1"), "all instances have the feature");
  const [begun, asked] = [Date.now(), feedServer.requests.length];
  feedServer.answer = json({ shows: [show("second")] });
  await until(() => all("/search", "second"), "all instances find what has changed");
  await until(() => feedServer.requests.length >= asked + 3, "the document is read further times");
  const periods = (Date.now() - begun) / 2_000;
  expect(feedServer.requests.length - asked).toBeLessThanOrEqual(Math.ceil(periods) + 1);
  await services[0][Symbol.asyncDispose]();
  await services[1][Symbol.asyncDispose]();
  feedServer.answer = json({ shows: [show("third")] });
  await until(async () => (await (await services[2].get("/search")).text()).includes("third"), "the last one reads it");
  await services[2][Symbol.asyncDispose]();
});
