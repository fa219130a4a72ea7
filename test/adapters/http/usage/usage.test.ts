import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminToken, type Operator, startOperator } from "../../../support/operator.ts";
import { bearer } from "../../../support/service.ts";
import { until } from "../../../support/until.ts";

const rules = `
connections:
  features: { kind: sqlite, file: "\${FOLDER}/store.db" }
tokens: { connection: features, layout: plain }
sources:
  - { name: global, kind: set, connection: features, key: global_features }
  - { name: user, kind: set, connection: features, key: "features:user:{userId}" }
  - { name: killed, kind: set, connection: features, key: "tidegate:killed", role: veto }
  - name: flags
    kind: flagd
    definitions:
      flags:
        theme: { state: ENABLED, variants: { dark: dark }, defaultVariant: dark }
        hidden: { state: ENABLED, variants: { on: true, off: false }, defaultVariant: off }
compatibility: { unleash: true }
`;

describe("usage", () => {
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    operator = await startOperator(rules);
    await operator.put("/sources/global/features/menu");
    await operator.put("/sources/user/features/vip?userId=ana");
    await operator.put("/sources/global/features/a%2Fusage");
    await ofrep();
    const isKnown = async () => (await counted(() => operator.service.get("/features"))).includes("hidden 0 1");
    await until(isKnown, "the features are registered");
  });
  afterAll(() => operator[Symbol.asyncDispose]());

  const post = (path: string, body: unknown, headers = {}) =>
    fetch(operator.service.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });

  async function ofrep(headers = {}): Promise<unknown[]> {
    const response = await post("/ofrep/v1/evaluate/flags", {}, headers);
    return ((await response.json()) as { flags: unknown[] }).flags;
  }

  /** The evaluations of features that a task leads to, by feature, such as `menu on 2`. */
  async function counted(task: () => Promise<unknown>): Promise<string[]> {
    const totals = async () => {
      const { body } = await operator.post("/usage", { features: ["menu", "theme", "hidden"] });
      return body.features.map((each: { on: number[]; off: number[] }) => [sum(each.on), sum(each.off)]);
    };
    const before = await totals();
    await task();
    const after = await totals();
    return ["menu", "theme", "hidden"].map((feature, index) =>
      [feature, after[index][0] - before[index][0], after[index][1] - before[index][1]].join(" "),
    );
  }

  const sum = (counts: readonly number[]) => counts.reduce((total, each) => total + each, 0);

  it("counts each response to GET /features, cached and not modified ones too", async () => {
    const calls = async () => {
      const { headers } = await operator.service.get("/features");
      await operator.service.get("/features");
      const etag = headers.get("etag") ?? "";
      expect((await operator.service.get("/features", { "if-none-match": etag })).status).toBe(304);
    };
    expect(await counted(calls)).toEqual(["menu 3 0", "theme 3 0", "hidden 0 3"]);
  });

  it("counts OFREP: each flag of a bulk response, and single flags", async () => {
    expect(await counted(() => ofrep())).toEqual(["menu 1 0", "theme 1 0", "hidden 0 1"]);
    const single = () => post("/ofrep/v1/evaluate/flags/hidden", {});
    expect(await counted(single)).toEqual(["menu 0 0", "theme 0 0", "hidden 0 1"]);
    const { body } = await operator.get("/features/hidden/usage");
    expect(body.results).toContainEqual({ variant: "off", on: false, via: "flag", count: 1 });
  });

  it("counts Unleash's frontend API, and the reports of its SDKs for known features", async () => {
    const { body: issued } = await operator.post("/users/ana/tokens");
    const frontend = () => fetch(`${operator.service.url}/api/frontend`, { headers: { authorization: issued.token } });
    expect(await counted(frontend)).toEqual(["menu 1 0", "theme 1 0", "hidden 0 1"]);
    const toggles = { theme: { yes: 5, no: 2, variants: { dark: 5 } }, unheard_of: { yes: 7 } };
    const metrics = { appName: "app", bucket: { start: "", stop: "", toggles } };
    const report = async () => {
      const headers = { authorization: issued.token };
      expect((await post("/api/frontend/client/metrics", metrics, headers)).status).toBe(202);
    };
    expect(await counted(report)).toEqual(["menu 0 0", "theme 5 2", "hidden 0 0"]);
    const { body } = await operator.get("/features/theme/usage");
    expect(body.results).toContainEqual({ variant: "dark", on: true, via: "report", count: 5 });
    expect((await operator.get("/features/unheard_of/usage")).body.total).toEqual({ on: 0, off: 0 });
  });

  it("counts neither streams nor evaluations by operators", async () => {
    const task = async () => {
      const stream = await operator.service.get("/features/stream");
      await stream.body?.getReader().read();
      await stream.body?.cancel().catch(() => {});
      await operator.service.get("/features?at=2030-01-01T00:00:00Z", bearer(adminToken));
      await operator.post("/explain", {});
      await operator.get("/features");
    };
    expect(await counted(task)).toEqual(["menu 0 0", "theme 0 0", "hidden 0 0"]);
  });

  it("has points of a minute, an hour or a day", async () => {
    await operator.service.get("/features");
    const usage = async (query: string) => (await operator.get(`/features/menu/usage${query}`)).body;
    const hours = await usage("");
    expect([hours.step, hours.on.length, hours.off.length]).toEqual(["hour", 24, 24]);
    expect(hours.from).toMatch(/T\d\d:00:00\.000Z$/);
    expect(hours.total.on).toBeGreaterThan(0);
    expect(sum(hours.on)).toBe(hours.total.on);
    expect(Date.parse(hours.lastUsed)).toBeGreaterThan(Date.now() - 120_000);
    expect(Date.parse(hours.countedSince)).toBeLessThanOrEqual(Date.parse(hours.lastUsed));
    const before = (ms: number) => new Date(Date.now() - ms).toISOString();
    const minutes = await usage(`?from=${before(3_600_000)}`);
    expect([minutes.step, minutes.on.length, sum(minutes.on)]).toEqual(["minute", 61, sum(hours.on)]);
    const days = await usage(`?from=${before(30 * 86_400_000)}`);
    expect([days.step, days.on.length, sum(days.on)]).toEqual(["day", 31, sum(hours.on)]);
    const past = await usage(`?from=${before(3 * 86_400_000)}&to=${before(2 * 86_400_000)}&step=hour`);
    expect([past.on.length, past.total]).toEqual([25, { on: 0, off: 0 }]);
  });

  it("is zero for a feature that was never evaluated", async () => {
    const { status, body } = await operator.get("/features/never/usage");
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ feature: "never", lastUsed: null, total: { on: 0, off: 0 }, results: [] }),
    ]);
  });

  it("of all features lists those evaluated most often first", async () => {
    await post("/ofrep/v1/evaluate/flags/menu", {});
    const { body } = await operator.post("/usage");
    const names = body.features.map(({ feature }: { feature: string }) => feature);
    expect(names).toEqual(expect.arrayContaining(["menu", "theme", "hidden"]));
    const totals = body.features.map(({ on, off }: { on: number[]; off: number[] }) => sum(on) + sum(off));
    expect(totals).toEqual(totals.toSorted((one: number, other: number) => other - one));
    expect(body.features[0].on).toHaveLength(24);
  });

  it("sorts the list of features", async () => {
    await Promise.all(Array.from({ length: 9 }, () => post("/ofrep/v1/evaluate/flags/menu", {})));
    const first = async (sort: string) => (await operator.get(`/features?sort=${sort}`)).body.features[0].feature;
    expect([await first("-evaluated"), await first("evaluated")]).toEqual(["menu", "hidden"]);
  });

  it("finds a key with slashes if they are encoded", async () => {
    await operator.service.get("/features");
    const { body } = await operator.get("/features/a%2Fusage/usage");
    expect(body.feature).toBe("a/usage");
    expect(body.total.on).toBeGreaterThan(0);
    expect((await operator.get("/features/a/usage")).body).toMatchObject({ feature: "a", total: { on: 0 } });
    expect((await operator.get("/features/a%2Fusage")).body).toMatchObject({ feature: "a/usage", killed: false });
  });

  it("rejects times without counts and unknown steps", async () => {
    const codes = ["?step=second", "?step=minute&from=2020-01-01T00:00:00Z", "?from=2020-01-01T00:00:00Z", "?from=x"];
    for (const query of codes) {
      const { status, body } = await operator.get(`/features/menu/usage${query}`);
      expect([query, status, body.code]).toEqual([query, 400, "invalid-query"]);
    }
    const { status, body } = await operator.post("/usage", { features: ["a\nb"], step: "week" });
    expect([status, body.errors.map(({ pointer }: { pointer: string }) => pointer).toSorted()]).toEqual([
      422,
      ["/features/0", "/step"],
    ]);
  });

  it("rejects a list for times without counts", async () => {
    const { status, body } = await operator.post("/usage", { step: "minute", from: "2020-01-01T00:00:00Z" });
    expect([status, body.errors[0].pointer]).toEqual([422, "/from"]);
  });

  it("is for operators", async () => {
    expect((await operator.service.get("/admin/v1/features/menu/usage")).status).toBe(401);
    expect((await post("/admin/v1/usage", {})).status).toBe(401);
  });
});
