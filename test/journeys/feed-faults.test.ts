import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { faultyAnswers } from "../support/faulty-partners.ts";
import { json, startFeedServer } from "../support/feed-server.ts";
import { adminToken } from "../support/operator.ts";
import { bearer, startService } from "../support/service.ts";
import { until } from "../support/until.ts";

type Ready = { readonly feeds: Record<string, { readonly failure: string | null; readonly known: number }> };

/** Servers that never end a response. The others have time on a busy machine. */
const endless = ["never", "drips"];

const entry = (name: string, url: string) => `
  - name: ${name}
    kind: feed
    connection: features
    pollSeconds: 1
    document: { url: "${url}", allow: [127.0.0.1], fetchTimeoutMs: ${endless.includes(name) ? 1_000 : 20_000} }
    item: { at: events, id: "{id}", title: name, window: { start: from, end: to }, features: ["${name}:{id}"] }`;

it("serves the known items of every feed while one server is down, one is slow, one sends bombs, and so on", async () => {
  await using stack = new AsyncDisposableStack();
  const elsewhere = stack.use(await startFeedServer(json({})));
  const faults = Object.entries(faultyAnswers(elsewhere.url));
  const good = json({ events: [{ id: 1, name: "known", from: "2020-01-01", to: "2999-01-01" }] });
  const partners = await Promise.all(
    faults.map(async ([name, fault]) => ({ name, fault, feedServer: stack.use(await startFeedServer(good)) })),
  );
  const service = stack.use(
    await startService(
      `connections: { features: { kind: sqlite, file: "\${TIDEGATE_DATA}/tidegate.db" } }
sources:${partners.map(({ name, feedServer }) => entry(name, feedServer.url)).join("")}
`,
      { TIDEGATE_ADMIN_TOKEN: adminToken },
    ),
  );
  const all = partners.map(({ name }) => `${name}:1`).sort();
  const features = async () => {
    const response = await service.get("/features");
    return [response.status, response.headers.get("cache-status"), await response.json()];
  };
  const search = async () => {
    const response = await service.get("/search");
    const { data } = (await response.json()) as { data: { events: unknown[] } };
    return [response.status, data.events.length];
  };
  await until(
    async () => JSON.stringify(await features()).includes(`${all.at(-1)}`) && (await search())[1] === all.length,
    "all is read",
  );
  for (const { fault, feedServer } of partners) feedServer.answer = fault;
  const states = async () => ((await (await service.get("/health/ready", bearer(adminToken))).json()) as Ready).feeds;
  const failing = async () => Object.values(await states()).filter(({ failure }) => failure !== null).length;
  while ((await failing()) < all.length) {
    expect(await features()).toEqual([200, null, { active_features: all }]);
    expect(await search()).toEqual([200, all.length]);
    await sleep(5);
  }
  expect(await features()).toEqual([200, null, { active_features: all }]);
  expect(elsewhere.requests).toHaveLength(0);
  const notified = Object.fromEntries(
    Object.entries(await states()).map(([name, { failure, known }]) => [name, [known, failure]]),
  );
  expect(notified).toEqual({
    closes: [1, expect.stringMatching(/ECONNRESET|polling is paused/)],
    fails: [1, expect.stringMatching(/responds 500|polling is paused/)],
    never: [1, expect.stringMatching(/within 1000 ms|polling is paused/)],
    drips: [1, expect.stringMatching(/within 1000 ms|polling is paused/)],
    halves: [1, expect.stringMatching(/before the end|polling is paused/)],
    garbage: [1, expect.stringContaining("is invalid JSON")],
    strange: [1, expect.stringContaining("has no events")],
    deep: [1, expect.stringContaining("nested deeper than 100 levels")],
    nan: [1, expect.stringContaining("is invalid JSON")],
    bomb: [1, expect.stringMatching(/more than 10000000 bytes|polling is paused/)],
    laughs: [1, expect.stringContaining("has a DOCTYPE")],
    redirects: [1, expect.stringMatching(/redirects are not followed|polling is paused/)],
    headers: [1, expect.stringMatching(/headers have more than|polling is paused/)],
  });
});
