import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freshnessBoundMs } from "../../src/domain/evaluation/cached-read.ts";
import { createLog } from "../../src/infrastructure/logger.ts";
import { connectRedis } from "../../src/infrastructure/redis/redis-connection.ts";
import { killedKey } from "../../src/infrastructure/stores/store-keys.ts";
import { plainTokenKey } from "../../src/infrastructure/token-key.ts";
import { type Answer, ask } from "../support/calls.ts";
import { adminToken, available, changesOf, redisRulesAt, startOperator } from "../support/operator.ts";
import { TestProcess } from "../support/process.ts";
import { emptied, type RedisServer, startRedis } from "../support/redis.ts";
import { bearer } from "../support/service.ts";
import { aChange, changeOf } from "../support/stores.ts";
import { until } from "../support/until.ts";

/** The rules of each role, from the page. */
const rules = new Map(
  readFileSync("docs/reference/redis-permissions.md", "utf8")
    .matchAll(/^ACL SETUSER tidegate-(\w+) (.+)$/gm)
    .map(([, role = "", text = ""]) => [role, text.split(" ")]),
);
const commandsOf = (role: string) => (rules.get(role) ?? []).filter((rule) => rule.startsWith("+"));

describe("Redis users with the documented rights", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());
  beforeEach(async () => {
    await emptied(redis.client);
    await redis.client.multi().sadd("global_features", "menu", "offers").set("token:1234", "1").exec();
    for (const [role, rights] of rules) await redis.client.acl("SETUSER", role, "reset", ...rights);
    await redis.client.acl("SETUSER", "all", "reset", ...(rules.get("writer") ?? []), ...commandsOf("relay"));
  });

  const urlOf = (user: string) => `${redis.url.replace("redis://", `redis://${user}:secret@`)}/0`;
  const connect = async (user: string) => {
    const connection = connectRedis("features", urlOf(user), createLog("silent"));
    await connection.connected();
    return connection;
  };

  it("exist for three roles", () => {
    expect([...rules.keys()]).toEqual(["reader", "writer", "relay"]);
  });

  it("as reader: serve clients from the cache, and reject changes permanently with the reason", async () => {
    await using operator = await startOperator(redisRulesAt(urlOf("reader")));
    expect(await operator.current("1234")).toEqual(["always", "menu", "offers"]);
    const reason = expect.stringMatching(
      /^Redis rejects EVALSHA \(.+\): this user has no permissions to run the 'evalsha' command; grant the rights$/,
    );
    const refused = { state: "refused", reason };
    expect(await changesOf(operator)).toEqual({ users: refused, features: refused });
    for (const { status, body, headers } of [
      await available(() => operator.put("/killed/menu")),
      await available(() => operator.post("/users/1/tokens", {})),
      await available(() => operator.put("/catalogue/menu", {}, { description: "The menu" })),
    ]) {
      expect([status, body.code, headers.get("retry-after")]).toEqual([503, "store-permission-denied", null]);
      expect(body.detail).toContain("no permissions to run the 'evalsha' command");
    }
    const areAvailable = async () => {
      const { body } = await operator.get("/features");
      return body.sources.every(({ state }: { state: string }) => state !== "unavailable");
    };
    await until(areAvailable, "all sources are evaluated");
    for (const path of ["/killed", "/features/menu/users", "/sources", "/users/1", "/users", "/users/1/tokens"]) {
      expect([path, (await available(() => operator.get(path))).status]).toEqual([path, 200]);
    }
    expect(await redis.client.exists(killedKey)).toBe(0);
  });

  it("as writer and reader: confirm a kill", async () => {
    await using operator = await startOperator(redisRulesAt(urlOf("writer")));
    await using reader = await startOperator(redisRulesAt(urlOf("reader")));
    await redis.client.acl("SETUSER", "untracked", "reset", ...(rules.get("reader") ?? []), "-client|tracking");
    await using untracked = await startOperator(redisRulesAt(urlOf("untracked")));
    const seen = () => Promise.all([reader, untracked].map(({ service }) => ask(service)));
    const isOn = ({ features, mark }: Answer) => features.includes("menu") && mark === null;
    await until(async () => {
      await operator.delete("/killed/menu");
      await until(async () => (await seen()).every(isOn), "it is on");
      const { body } = await operator.put("/killed/menu?wait=true");
      const answers = await seen();
      expect(answers.filter(isOn)).toEqual([]);
      return body.tookMs < freshnessBoundMs && answers.every(({ mark }) => mark === null);
    }, "all instances confirm it");
  });

  it("as writer: apply every change, which waits for a relay", async () => {
    await using operator = await startOperator(redisRulesAt(urlOf("writer")));
    const accepted = { state: "accepted" };
    expect(await changesOf(operator)).toEqual({ users: accepted, features: accepted });
    const once = { "idempotency-key": "once" };
    const made = [
      await available(() => operator.put("/killed/menu", once)),
      await available(() => operator.delete("/killed/menu")),
      await available(() => operator.put("/sources/user/features/menu?userId=1")),
      await available(() => operator.post("/users/1/tokens", {})),
      await available(() => operator.put("/catalogue/menu", {}, { description: "The menu" })),
    ];
    expect(made.map(({ status }) => status)).toEqual([200, 200, 200, 201, 200]);
    await using connection = await connect("writer");
    const load = { by: "tester", load: "import", from: 0, to: 1 };
    await connection.changes.load({
      ...load,
      items: [{ key: "location:madrid", personal: false, features: ["menu"], limit: 9 }],
    });
    await connection
      .tokenStore(plainTokenKey())
      .load({ ...load, load: "tokens", items: [{ token: "5678", userId: "2" }] });
    await connection.documents.load({ ...load, load: "documents", items: [{ collection: "c", name: "n", value: 1 }] });
    await connection.items.put("partner", []);
    await connection.items.saveState("partner", { breaker: "closed", failures: 0, invalid: 0 } as never);
    expect((await redis.client.keys("tidegate:outbox:*")).length).toBeGreaterThan(5);
  });

  it("as relay: move the records of other processes and of redis-cli, and change no set", async () => {
    await using writer = await connect("writer");
    await writer.changes.apply(changeOf("global_features", { add: ["new"] }));
    await using relay = await connect("relay");
    await using outbox = relay.outbox();
    await redis.client.sadd("global_features", "external");
    expect(await relay.lease("records").hold()).toBe(true);
    expect(await relay.changes.reconcile({ key: "global_features", personal: false })).toBe(true);
    expect((await outbox.backlog()).entries).toBe(3);
    const entries = await outbox.read(10);
    expect(entries).toHaveLength(3);
    await outbox.remove(entries);
    await relay.lease("records").release();
    expect(await outbox.read(10)).toEqual([]);
    const change = relay.changes.apply(changeOf("global_features", { remove: ["new"] }));
    await expect(change).rejects.toThrow("the user may not run SMISMEMBER on global_features");
    expect(await redis.client.sismember("global_features", "new")).toBe(1);
  });

  it("as writer and relay: serve, change and record", async () => {
    await using operator = await startOperator(redisRulesAt(urlOf("all")));
    expect((await available(() => operator.put("/killed/menu"))).status).toBe(200);
    const events = async () => (await operator.service.get(`/events?key=${killedKey}`, bearer(adminToken))).text();
    await until(async () => (await events()).includes("menu"), "the change is in the event log");
    await until(async () => (await operator.features())?.join() === "always,offers", "the kill is in effect");
  });

  it("as writer: leave the relay to an instance that has the rights", async () => {
    await using writer = await startOperator(redisRulesAt(urlOf("writer")));
    expect((await available(() => writer.put("/killed/menu"))).status).toBe(200);
    await until(async () => (await redis.client.exists("tidegate:lease:records")) === 1, "the writer tries to relay");
    await using all = await startOperator(redisRulesAt(urlOf("all")));
    // Reading events would relay them without the lease.
    const outbox = `tidegate:outbox:{${killedKey}}`;
    await until(async () => (await redis.client.exists(outbox)) === 0, "the outbox is relayed");
    await until(async () => (await all.features())?.join() === "always,offers", "the kill is in effect");
  });

  it("are named in the log if they are missing: at the start, and for each rejected change", async () => {
    await redis.client.acl("SETUSER", "unsetting", "reset", ...(rules.get("writer") ?? []), "-sadd");
    await using service = new TestProcess(["src/main.ts"], {
      REDIS_USERS_URL: urlOf("unsetting"),
      REDIS_FEATURES_URL: urlOf("unsetting"),
      TIDEGATE_CONFIG: "test/support/logging.yaml",
      TIDEGATE_ADMIN_TOKEN: adminToken,
      HOST: "127.0.0.1",
      PORT: "0",
    });
    const lines = (message: string) =>
      service.stderr.split("\n").flatMap((line) => (line.includes(message) ? [JSON.parse(line)] : []));
    const url = await service.url();
    const call = (method: string, path: string, body?: object) =>
      fetch(`${url}/admin/v1${path}`, {
        method,
        headers: { ...bearer(adminToken), "content-type": "application/json", "x-request-id": "of-the-test" },
        ...(body && { body: JSON.stringify(body) }),
      });
    const cause =
      "Redis rejects EVALSHA (global_features): the user may not run SADD on global_features; grant the rights";
    await until(() => lines("store rejects changes").length > 0, "the start is logged");
    expect(lines("store rejects changes")[0]).toMatchObject({ level: 50, connection: "features" });
    const refused = () =>
      lines("change rejected").filter(({ code }: { code: string }) => code === "store-permission-denied");
    const changes = { changes: [{ source: "global", add: ["new"] }] };
    for (const [status, change] of [
      [503, () => call("PUT", "/sources/global/features/new")],
      [200, () => call("POST", "/changes", changes)],
    ] as const) {
      const { length } = refused();
      // On a busy machine Redis may be unavailable to a call.
      await until(async () => {
        expect((await change()).status).toBe(status);
        return refused().length > length;
      }, "the refused change is logged");
    }
    for (const line of refused()) expect(line).toMatchObject({ level: 50, requestId: "of-the-test", cause });
  });

  describe.each(commandsOf("writer"))("as writer without %s", (command) => {
    const right = `-${command.slice(1)}`;
    afterEach(() => redis.client.acl("DELUSER", "lacking"));

    it("apply each change as a whole or not at all, and name the missing right", async () => {
      await redis.client.acl("SETUSER", "lacking", "reset", ...(rules.get("writer") ?? []), right);
      await using connection = connectRedis("features", urlOf("lacking"), createLog("silent"));
      await connection.connected();
      await until(
        async () =>
          connection.check().then(
            () => true,
            () => command === "+ping",
          ),
        "it answers",
      );
      const content = async () => {
        const keys = (await redis.client.keys("*")).sort();
        return Promise.all(keys.map(async (key) => [key, await redis.client.dump(key)]));
      };
      const tokens = connection.tokenStore(plainTokenKey());
      const load = { by: "tester", load: "import", from: 0, to: 1 };
      const changes = [
        () =>
          connection.changes.apply({ ...changeOf(killedKey, { add: ["menu"] }), idempotencyKey: "kill", urgent: true }),
        () => tokens.assign({ ...aChange(), token: "9999", userId: "1", idempotencyKey: "issue" }),
        () => tokens.revoke({ ...aChange(), token: "1234" }),
        () => connection.documents.put({ ...aChange(), collection: "c", name: "n", value: 1, idempotencyKey: "put" }),
        () => connection.items.put("partner", [{ id: "1" } as never]),
        () =>
          connection.changes.load({
            ...load,
            items: [
              { key: "location:madrid", personal: false, features: ["menu"], limit: 9 },
              { key: "global_features", personal: false, features: ["more"], limit: 9 },
            ],
          }),
        () => tokens.load({ ...load, load: "tokens", items: [{ token: "5678", userId: "2" }] }),
        () =>
          connection.documents.load({ ...load, load: "documents", items: [{ collection: "c", name: "m", value: 1 }] }),
      ];
      let refused = 0;
      await redis.client.script("FLUSH");
      for (const change of changes) {
        const before = await content();
        const error = await change().then(
          () => undefined,
          (cause: Error) => cause,
        );
        if (!error) continue;
        refused += 1;
        expect(await content()).toEqual(before);
        expect(error.name).toBe("StorePermissionDenied");
        expect(error.message.toLowerCase()).toContain(command.slice(1).split("|")[0] ?? "");
      }
      if (!commandsOf("reader").includes(command)) expect(refused).toBeGreaterThan(0);
    });
  });
});
