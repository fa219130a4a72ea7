import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminToken, type Operator, operatorOf } from "../../../support/operator.ts";
import { bearer, startService, type TestService, ways } from "../../../support/service.ts";
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
        theme:
          state: ENABLED
          variants: { light: "#fff", dark: "#000" }
          defaultVariant: light
          targeting: { if: [{ "==": [{ var: targetingKey }, ana] }, dark] }
        hidden: { state: ENABLED, variants: { on: true, off: false }, defaultVariant: off }
`;

describe.each(ways)("GET /features?detail=true, with calls served %s", (_, way) => {
  let service: TestService;
  let operator: Operator;
  let token: string;
  beforeAll(async () => {
    service = await startService(rules, { TIDEGATE_ADMIN_TOKEN: adminToken }, way);
    operator = operatorOf(service);
    await operator.put("/sources/global/features/menu");
    await operator.put("/sources/user/features/vip?userId=ana");
    token = (await operator.post("/users/ana/tokens")).body.token;
    await detailed(bearer(token));
    const known = async () => (await detailed()).body.features.length === 4;
    await until(known, "the features are known");
  });
  afterAll(() => service[Symbol.asyncDispose]());

  async function detailed(headers = {}) {
    const response = await service.get("/features?detail=true", headers);
    return { response, body: (await response.json()) as ReturnType<typeof JSON.parse> };
  }

  it("returns known features, on or off, with value, variant, reason and source", async () => {
    const { response, body } = await detailed();
    expect(body).toEqual({
      active_features: ["menu", "theme"],
      features: [
        { key: "hidden", on: false, value: false, variant: "off", reason: "STATIC", source: "flags" },
        { key: "menu", on: true, value: true, reason: "STATIC", source: "global" },
        { key: "theme", on: true, value: "#fff", variant: "light", reason: "DEFAULT", source: "flags" },
        { key: "vip", on: false, value: false, reason: "DISABLED" },
      ],
    });
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("cache-control")).toBe("private, no-cache");
  });

  it("evaluates for the user of the token", async () => {
    const { body } = await detailed(bearer(token));
    expect(body.active_features).toEqual(["menu", "theme", "vip"]);
    expect(body.features).toContainEqual(
      expect.objectContaining({ key: "theme", variant: "dark", reason: "TARGETING_MATCH" }),
    );
    expect((await service.get("/features?detail=true", bearer("unknown"))).status).toBe(401);
  });

  it("returns 304 to its own ETag, until a value changes", async () => {
    const etagOf = async (headers = {}) => (await detailed(headers)).response.headers.get("etag") ?? "";
    const etag = await etagOf();
    const ask = async () => service.get("/features?detail=true", { "if-none-match": etag });
    expect((await ask()).status).toBe(304);
    expect(await etagOf(bearer(token))).not.toBe(etag);
    expect((await service.get("/features")).headers.get("etag")).not.toBe(etag);
    await operator.put("/killed/menu");
    const killed = await ask();
    expect(killed.status).toBe(200);
    expect(((await killed.json()) as { features: unknown[] }).features).toContainEqual({
      key: "menu",
      on: false,
      value: false,
      reason: "DISABLED",
      source: "killed",
    });
    await operator.delete("/killed/menu");
    expect((await ask()).status).toBe(304);
  });

  it("returns only active_features without detail=true", async () => {
    for (const path of ["/features", "/features?detail=false"]) {
      expect(await (await service.get(path)).text()).toBe('{"active_features":["menu","theme"]}');
    }
  });

  it.each(["detail=yes", "detail=", "detail=true&detail=true", "detail=1"])("rejects %s", async (query) => {
    const response = await service.get(`/features?${query}`);
    expect([response.status, await response.json()]).toEqual([
      400,
      expect.objectContaining({ code: "invalid-query", detail: expect.stringContaining('"detail"') }),
    ]);
  });

  it("rejects detail=true with at", async () => {
    const response = await service.get("/features?detail=true&at=2030-01-01T00:00:00Z", bearer(adminToken));
    expect(response.status).toBe(400);
  });

  it("is counted as usage, with variants", async () => {
    await detailed();
    const { body } = await operator.get("/features/theme/usage");
    expect(body.results).toContainEqual(expect.objectContaining({ variant: "light", on: true, via: "response" }));
  });
});
