import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inOrder } from "../../../../src/domain/evaluation/feature.ts";
import { openSqlite } from "../../../../src/infrastructure/sqlite/sqlite-connection.ts";
import { adminToken, answeredInTime, type Operator, startOperator } from "../../../support/operator.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";
import { bearer } from "../../../support/service.ts";
import { changeOf } from "../../../support/stores.ts";

/** Keys that sources serve, but that no new grant may have. */
const common = ["_beta", "new checkout", "🎉", "ñandú", "(beta)", "a,b", "x".repeat(201), "__proto__"];
const rare = [
  " ",
  "n\u0303",
  "x".repeat(1_024),
  "漢".repeat(1_024),
  "-x",
  "/a",
  "a\\b",
  "a?b#c&d=e",
  "100%",
  "a%2Fb",
  "a\u2028b",
  "*",
  "<script>",
  "=1+1",
  "$ref",
  '{"a":1}',
];
const odd = [...common, ...rare];
/** Writable keys that need care in a path. */
const slashed = ["a/b", "a//b", "a/../b", "a/"];
/** Keys that no URL can have as a segment, because clients resolve them; and those that are sent for them. */
const dots = [".", "..", "~.", "~.."];
/** The path segment of a key. */
const segmentOf = (key: string) => encodeURIComponent(dots.includes(key) ? `~${key}` : key);
const all = [...odd, ...slashed, ...dots];

const mapOf = (value: unknown): string =>
  `{ ${all.map((key) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`).join(", ")} }`;
const flags = mapOf({ state: "ENABLED", variants: { on: true }, defaultVariant: "on" });
const enabled = (name: string) => ({ name, enabled: true, strategies: [{ name: "default" }] });
const files = {
  "flags.json": `{ "flags": ${flags} }`,
  "unleash.json": JSON.stringify({ version: 2, features: all.map(enabled) }),
};
/** Configurations reject this key. */
const ofYaml = (map: string): string => map.replace(/"__proto__": .*?, /, "");

const rules = (connection: string, granting: string): string => `
connections:
  features: ${connection}
sources:
  - { name: active, kind: set, connection: features, key: active_features, role: gate }
  - { name: killed, kind: set, connection: features, key: "tidegate:killed", role: veto }
  - { name: granted, ${granting} }
  - { name: rollout, kind: percentage, connection: features, role: gate, default: allow }
`;
const set = "kind: set, connection: features, key: granted_features";

describe.each([
  ["a set in SQLite", set],
  ["a set in Redis", set],
  ["static", `kind: static, features: ${ofYaml(mapOf(true))}`],
  ["flagd", `kind: flagd, definitions: { flags: ${ofYaml(flags)} }`],
  ["a file of flagd", `kind: flagd, file: "\${DATA}/flags.json"`],
  ["Unleash", `kind: unleash, file: "\${DATA}/unleash.json"`],
])("a feature that %s grants", (origin, granting) => {
  const served = ["static", "flagd"].includes(origin) ? all.filter((key) => key !== "__proto__") : all;
  const some = common.filter((key) => served.includes(key));
  const [ofPaths, ofSets] =
    origin === "a set in SQLite"
      ? [
          [...odd, ...slashed, ...dots],
          [...odd, ...dots],
        ]
      : [some, some];
  let folder: string;
  let redis: RedisServer | undefined;
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-served-"));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const file = join(folder, "store.db");
    if (origin === "a set in Redis") {
      redis = await startRedis();
      await redis.client.sadd("granted_features", ...all);
    } else {
      await using store = openSqlite("features", file);
      if (granting === set) await store.changes.apply(changeOf("granted_features", { add: all }));
    }
    const connection = redis ? `{ kind: redis, url: "${redis.url}" }` : `{ kind: sqlite, file: "${file}" }`;
    operator = await startOperator(rules(connection, granting), { DATA: folder });
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it("is served", async () => {
    expect(new Set(await operator.current())).toEqual(new Set(served));
  });

  it.each(ofPaths)("can be killed, read, explained, described and restored by its path: %j", async (key) => {
    const path = segmentOf(key);
    const killed = await operator.put(`/killed/${path}`);
    expect([killed.status, killed.body.added]).toEqual([200, [key]]);
    expect(await operator.current()).not.toContain(key);
    const shown = await answeredInTime(() => operator.get(`/features/${path}`));
    expect(shown.body).toMatchObject({ feature: key, killed: true });
    const explained = await answeredInTime(() => operator.post("/explain", { features: [key] }));
    expect(explained.body.features).toMatchObject([{ feature: key, on: false, decidedBy: ["killed"] }]);

    expect((await operator.delete(`/killed/${path}`)).body.removed).toEqual([key]);
    expect((await operator.delete(`/killed/${path}`)).body.removed).toEqual([]);
    expect(await operator.current()).toContain(key);

    const described = await operator.put(`/catalogue/${path}`, {}, { owner: "shop" });
    expect([described.status, described.body.owner]).toEqual([200, "shop"]);
    expect((await operator.delete(`/catalogue/${path}`)).body).toMatchObject({ feature: key, removed: true });
  });

  it("can be killed, restored and added to a gate in one request", async () => {
    const change = async (wanted: object) => (await operator.post("/changes", { changes: [wanted] })).body.results[0];
    expect(await change({ source: "killed", add: served })).toMatchObject({ status: 200 });
    expect(await operator.current()).toEqual([]);
    expect((await operator.get("/killed")).body.features).toEqual(inOrder(served));
    expect(await change({ source: "killed", remove: served })).toMatchObject({ status: 200 });
    expect(new Set(await operator.current())).toEqual(new Set(served));
    expect(await change({ source: "active", add: served })).toMatchObject({ status: 200 });
  });

  it("is in the event log after a kill", async () => {
    await operator.put("/killed/_beta");
    const answer = await operator.service.get("/events?feature=_beta&key=tidegate:killed", bearer(adminToken));
    const { events } = (await answer.json()) as { events: readonly { message: string }[] };
    expect(events[0]?.message).toBe("tidegate:killed: _beta added");
    await operator.delete("/killed/_beta");
  });

  it.each(ofSets)("can get a rule and lose it: %j", async (key) => {
    const [path, rule] = [segmentOf(key), { percentage: 0 }];
    expect((await operator.put(`/sources/rollout/rules/${path}`, {}, rule)).body).toMatchObject({ rule });
    expect((await operator.delete(`/sources/rollout/rules/${path}`)).body).toMatchObject({ removed: true });
  });

  if (granting === set) {
    it.each(ofSets)("can be removed from its set, but not added again: %j", async (key) => {
      const path = segmentOf(key);
      expect((await operator.put(`/sources/granted/features/${path}`)).body).toMatchObject({ added: [] });
      expect((await operator.delete(`/sources/granted/features/${path}`)).body.removed).toEqual([key]);
      expect(await operator.current()).not.toContain(key);
      const refused = await operator.put(`/sources/granted/features/${path}`);
      expect([refused.status, refused.body.code]).toEqual([422, "invalid-feature-key"]);
    });
  }
});
