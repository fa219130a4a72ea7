import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminToken, type Operator, operatorOf } from "../../../support/operator.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";
import { bearer, startService, type TestService } from "../../../support/service.ts";
import { until } from "../../../support/until.ts";

const yamlOn = (store: string) => `
connections:
  store: ${store}
tokens: { connection: store, layout: plain }
sources:
  - { name: everyone, kind: set, connection: store, key: global_features }
  - { name: active, kind: set, connection: store, key: active_features, role: gate }
  - { name: killed, kind: set, connection: store, key: "tidegate:killed", role: veto }
  - { name: user, kind: set, connection: store, key: "features:user:{userId}" }
  - { name: location, kind: set, connection: store, key: "location:{location}" }
  - { name: rollout, kind: percentage, connection: store }
`;

type EventJson = {
  id: string;
  key: string;
  position: number;
  recorded_by: string;
  features: string[];
  data: Record<string, unknown>;
};

describe.each(["SQLite", "Redis"])("events of changes on %s", (kind) => {
  let redis: RedisServer | undefined;
  let service: TestService;
  let operator: Operator;
  beforeAll(async () => {
    if (kind === "Redis") redis = await startRedis();
    const store = redis ? `{ kind: redis, url: "${redis.url}" }` : `{ kind: sqlite, file: "\${FOLDER}/store.db" }`;
    service = await startService(yamlOn(store), { TIDEGATE_ADMIN_TOKEN: adminToken });
    operator = operatorOf(service);
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
  });

  /** Events of a query. The relay brings changes into the log in their order; the last change is `recorded` by then. */
  const events = async (query: string): Promise<EventJson[]> => {
    await recorded();
    return page(query);
  };
  const page = async (query: string): Promise<EventJson[]> => {
    const answer = await service.get(`/events?${query}`, bearer(adminToken));
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { events: EventJson[] }).events;
  };
  let changes = 0;
  /** Waits until the log has everything that was changed before. */
  const recorded = async () => {
    changes += 1;
    await operator.put(`/catalogue/recorded-${changes}`, {}, { description: "A mark" });
    await until(async () => (await page(`key=catalogue/recorded-${changes}`)).length > 0, "the changes are recorded");
  };
  const eventOf = async (query: string): Promise<EventJson> => {
    const [event] = await events(`${query}&limit=1`);
    if (!event) throw new Error(`no event of ${query}`);
    return event;
  };
  const details = async (id: string) => (await service.get(`/events/${id}`, bearer(adminToken))).json();
  const revert = (id: string, query = "") => operator.post(`/events/${id}/revert${query}`);
  const features = async (source: string, query = "") =>
    (await operator.get(`/sources/${source}/features${query}`)).body.features;

  it("name features, sources, user and location, in the list and alone", async () => {
    await operator.put("/sources/user/features/shown?userId=7%3A8");
    const event = await eventOf("feature=shown");
    expect(event).toMatchObject({ features: ["shown"], sources: ["user"], user: "7:8" });
    expect(event).not.toHaveProperty("location");
    expect(await details(event.id)).toEqual(event);
    await operator.put("/sources/location/features/shown?location=madrid");
    expect(await eventOf("feature=shown")).toMatchObject({ sources: ["location"], location: "madrid" });
    const unknown = await service.get("/events/019aa5c1-8c1e-7f3a-9d43-5a1f6f0c2b11", bearer(adminToken));
    expect([unknown.status, ((await unknown.json()) as { code: string }).code]).toEqual([404, "unknown-event"]);
  });

  it("have the value before and after the change of a rule", async () => {
    await operator.put("/sources/rollout/rules/valued", {}, { percentage: 10 });
    await operator.put("/sources/rollout/rules/valued", {}, { percentage: 20 });
    const [second, first] = await events("feature=valued");
    const [before, after] = [{ percentage: 10 }, { percentage: 20 }];
    expect(await details(first?.id ?? "")).toMatchObject({ before: null, after: before, sources: ["rollout"] });
    expect(await details(second?.id ?? "")).toMatchObject({ before, after, features: ["valued"] });
  });

  it("are filtered by type, origin and affected user", async () => {
    await operator.put("/sources/everyone/features/f-all");
    await operator.put("/sources/user/features/f-own?userId=filtered");
    await operator.put("/sources/user/features/f-other?userId=another");
    await operator.put("/sources/location/features/f-place?location=madrid");
    await operator.put("/sources/rollout/rules/f-rule", {}, { percentage: 10 });
    await operator.put("/catalogue/f-text", {}, { description: "A text" });
    await operator.post("/users/filtered/tokens");
    await operator.post("/users/another/tokens");
    const keys = async (query: string) => (await events(query)).map(({ key }) => key.replace(/^tokens\/.*/, "tokens"));
    const affecting = await keys("affecting=filtered");
    expect(affecting).toEqual(
      expect.arrayContaining(["features:user:filtered", "global_features", "percentages/f-rule", "tokens"]),
    );
    expect(affecting.filter((key) => /another|location|f-text/.test(key))).toEqual([]);
    expect(affecting.filter((key) => key === "tokens")).toHaveLength(1);
    expect(await keys("type=token&limit=2")).toEqual(["tokens", "tokens"]);
    const documents = (await keys("type=document&component=features")).filter((key) => !key.includes("recorded-"));
    expect(documents.slice(0, 2)).toEqual(["catalogue/f-text", "percentages/f-rule"]);
    expect(await keys("type=set&origin=change&limit=1")).toEqual(["location:madrid"]);
    expect(await keys("origin=external&affecting=filtered")).toEqual([]);
    expect((await service.get("/events?type=feature", bearer(adminToken))).status).toBe(400);
  });

  it("of one bulk request share an id", async () => {
    const changes = ["b-1", "b-2"].map((feature) => ({ source: "everyone", add: [feature] }));
    expect((await operator.post("/changes", { changes })).status).toBe(200);
    const [one, two] = await Promise.all(["b-1", "b-2"].map((feature) => eventOf(`feature=${feature}`)));
    expect(one?.data["batch"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(two?.data["batch"]).toBe(one?.data["batch"]);
  });

  describe("are reverted", () => {
    it("in a set, by a new event that names the reverted one", async () => {
      await operator.put("/sources/user/features/r-set?userId=1");
      const { id } = await eventOf("feature=r-set");
      const trial = await revert(id, "?dryRun=true");
      const expected = { reverted: id, key: "features:user:1", sources: ["user"], added: [], removed: ["r-set"] };
      expect([trial.status, trial.body]).toEqual([200, { ...expected, event: null, dryRun: true }]);
      expect(await features("user", "?userId=1")).toContain("r-set");
      const { status, body } = await revert(id, "?note=too%20early");
      expect([status, body]).toEqual([200, { ...expected, event: expect.any(String) }]);
      expect(await features("user", "?userId=1")).not.toContain("r-set");
      const event = await eventOf("feature=r-set");
      expect(event).toMatchObject({ id: body.event, recorded_by: "admin", data: { reverts: id, note: "too early" } });
      expect((await revert(event.id)).body).toMatchObject({ added: ["r-set"], removed: [] });
      expect(await features("user", "?userId=1")).toContain("r-set");
    });

    it("once, despite repeated requests", async () => {
      await operator.put("/sources/everyone/features/r-once");
      const { id } = await eventOf("feature=r-once");
      const headers = { "idempotency-key": "revert-once" };
      const answers = [await operator.post(`/events/${id}/revert`, undefined, headers), await revert(id)];
      answers.push(await operator.post(`/events/${id}/revert`, undefined, headers));
      expect(answers.map(({ status, body }) => [status, body.event])).toEqual(
        answers.map(() => [200, answers[0]?.body.event]),
      );
      expect(await events("feature=r-once")).toHaveLength(2);
    });

    it("without an effect, if they are reverted already", async () => {
      await operator.put("/sources/everyone/features/r-repeated");
      await operator.put("/sources/rollout/rules/r-repeated", {}, { percentage: 5 });
      for (const event of await events("feature=r-repeated&limit=2")) {
        const { body: first } = await revert(event.id);
        const isRule = event.key !== "global_features";
        const effect = { event: first.event, added: [], removed: [], ...(isRule && { before: null, after: null }) };
        expect((await revert(event.id, "?dryRun=true")).body).toMatchObject(effect);
        expect((await revert(event.id)).body).toMatchObject(effect);
      }
      expect(await events("feature=r-repeated")).toHaveLength(4);
    });

    it("as kill: the features that were on are on again", async () => {
      await operator.put("/sources/everyone/features/r-kill");
      await operator.put("/killed/r-kill");
      const killed = await eventOf("feature=r-kill");
      expect(await operator.features()).not.toContain("r-kill");
      expect((await revert(killed.id)).status).toBe(200);
      expect(await features("killed")).not.toContain("r-kill");
      expect(await features("everyone")).toContain("r-kill");
    });

    it("in a rule: changed, set and removed", async () => {
      const rule = async () => (await operator.get("/sources/rollout/rules/r-rule")).body.rule;
      await operator.put("/sources/rollout/rules/r-rule", {}, { percentage: 10 });
      const first = await eventOf("feature=r-rule");
      await operator.put("/sources/rollout/rules/r-rule", {}, { percentage: 50 });
      const second = await eventOf("feature=r-rule");
      const conflict = await revert(first.id);
      expect([conflict.status, conflict.body.code]).toEqual([409, "changed-since"]);
      const done = await revert(second.id);
      expect(done.body).toMatchObject({ before: { percentage: 50 }, after: { percentage: 10 }, sources: ["rollout"] });
      expect(await rule()).toEqual({ percentage: 10 });
      await operator.delete("/sources/rollout/rules/r-rule");
      const removal = await eventOf("feature=r-rule");
      expect((await revert(removal.id)).body).toMatchObject({ before: null, after: { percentage: 10 } });
      expect(await rule()).toEqual({ percentage: 10 });
      await operator.put("/sources/rollout/rules/r-new", {}, { percentage: 5 });
      expect((await revert((await eventOf("feature=r-new")).id)).body).toMatchObject({ after: null });
      expect((await operator.get("/sources/rollout/rules/r-new")).status).toBe(404);
    });

    it("once a later change of the same is reverted", async () => {
      for (const percentage of [10, 20, 30]) await operator.put("/sources/rollout/rules/r-both", {}, { percentage });
      const [last, middle] = await events("feature=r-both");
      expect((await revert(middle?.id ?? "")).body.code).toBe("changed-since");
      expect((await revert(last?.id ?? "")).body).toMatchObject({ after: { percentage: 20 } });
      expect((await revert(middle?.id ?? "")).body).toMatchObject({ after: { percentage: 10 } });
      expect((await operator.get("/sources/rollout/rules/r-both")).body.rule).toEqual({ percentage: 10 });
      await operator.put("/sources/everyone/features/r-both-set");
      await operator.delete("/sources/everyone/features/r-both-set");
      const [removal, addition] = await events("feature=r-both-set");
      expect((await revert(addition?.id ?? "")).body.code).toBe("changed-since");
      await revert(removal?.id ?? "");
      expect((await revert(addition?.id ?? "")).body).toMatchObject({ removed: ["r-both-set"] });
      expect(await features("everyone")).not.toContain("r-both-set");
    });

    it("if they were made with redis-cli, and not if that changed the feature since", async () => {
      if (!redis) return;
      await operator.put("/sources/everyone/features/r-other");
      await redis.client.sadd("global_features", "r-raw");
      await until(async () => (await events("feature=r-raw")).length > 0, "the edit is recorded");
      const raw = await eventOf("feature=r-raw&origin=external");
      expect(raw).toMatchObject({ recorded_by: "external", features: ["r-raw"], sources: ["everyone"] });
      expect((await revert(raw.id)).body).toMatchObject({ removed: ["r-raw"] });
      expect(await features("everyone")).not.toContain("r-raw");
      const { id } = await eventOf("feature=r-other");
      await redis.client.srem("global_features", "r-other");
      let refused = await revert(id);
      await until(async () => {
        // The edit is being recorded: the log does not have it yet.
        if (refused.status === 503) refused = await revert(id);
        return refused.status !== 503;
      }, "the log has the last change");
      expect([refused.status, refused.body.code]).toEqual([409, "changed-since"]);
    });

    it("in a description, with its creation time", async () => {
      await operator.put("/catalogue/r-text", {}, { description: "Old", owner: "shop" });
      const { body: before } = await operator.get("/catalogue/r-text");
      await operator.delete("/catalogue/r-text");
      expect((await revert((await eventOf("key=catalogue/r-text")).id)).status).toBe(200);
      expect((await operator.get("/catalogue/r-text")).body).toEqual(before);
    });
  });

  describe("are not reverted", () => {
    it("if a later event changed the same feature in the set, which the problem names", async () => {
      await operator.put("/sources/everyone/features/n-later");
      const { id } = await eventOf("feature=n-later");
      await operator.put("/sources/everyone/features/n-other");
      expect((await revert(id, "?dryRun=true")).status).toBe(200);
      await operator.delete("/sources/everyone/features/n-later");
      const later = await eventOf("feature=n-later");
      for (const query of ["", "?dryRun=true"]) {
        const { status, body } = await revert(id, query);
        expect([status, body.code]).toEqual([409, "changed-since"]);
        expect(body.later).toEqual({ event: later.id, by: "admin", at: expect.any(String) });
        expect(body.detail).toContain(later.id);
      }
    });

    it("if they are no changes, changed nothing, or concern a token", async () => {
      const headers = { ...bearer(adminToken), "content-type": "application/json" };
      const event = { component: "c", data: {}, email: "a@example.com", environment: "e", message: "m" };
      const posted = await fetch(`${service.url}/events`, { method: "POST", headers, body: JSON.stringify(event) });
      const { id } = (await posted.json()) as EventJson;
      await operator.put("/sources/everyone/features/n-twice");
      await operator.put("/sources/everyone/features/n-twice");
      await operator.post("/users/1/tokens");
      const nothing = await eventOf("key=global_features");
      const token = await eventOf("type=token");
      for (const each of [id, nothing.id, token.id]) {
        const { status, body } = await revert(each);
        expect([status, body.code]).toEqual([409, "not-revertible"]);
      }
      expect((await revert("nothing")).body.code).toBe("unknown-event");
    });

    it("by a viewer, and not with If-Match", async () => {
      await operator.put("/sources/everyone/features/n-viewer");
      const { id } = await eventOf("feature=n-viewer");
      expect((await operatorOf(service, "wrong").post(`/events/${id}/revert`)).status).toBe(401);
      expect((await operator.post(`/events/${id}/revert`, undefined, { "if-match": '"x.1"' })).status).toBe(400);
      expect((await operator.post(`/events/${id}/revert`, { force: true })).status).toBe(422);
    });
  });

  it("are streamed with their features, sources and user", async () => {
    const stop = new AbortController();
    const stream = await fetch(`${service.url}/events/stream`, { headers: bearer(adminToken), signal: stop.signal });
    let text = "";
    const reading = (async () => {
      for await (const chunk of stream.body ?? []) text += Buffer.from(chunk).toString();
    })().catch(() => {});
    await operator.put("/sources/user/features/streamed?userId=3");
    await until(() => text.includes("streamed"), "the event arrives");
    stop.abort();
    await reading;
    const data = /^data: (.*streamed.*)$/m.exec(text)?.[1] ?? "{}";
    expect(JSON.parse(data)).toMatchObject({ features: ["streamed"], sources: ["user"], user: "3" });
  });
});
