import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config.ts";
import { basic, bearer, startService, type TestService } from "../../support/service.ts";

const admin = "the-operators-credential";
const yaml = `
connections:
  store: { kind: sqlite, file: "\${FOLDER}/store.db" }
tokens: { connection: store, layout: plain }
sources:
  - { name: everyone, kind: set, connection: store, key: global_features }
`;

/** The routes that are for everybody. Any other has to demand the credential. */
const open = ["/features", "/health", "/health/live", "/health/ready", "/openapi.json", "/docs", "/docs/{asset}"];

const wrong: [name: string, headers: Record<string, string>][] = [
  ["none", {}],
  ["an empty header", { authorization: "" }],
  ["a scheme alone", { authorization: "Bearer" }],
  ["another token", bearer("the-operators-credentiaL")],
  ["the beginning of it", bearer(admin.slice(0, -1))],
  ["more than it", bearer(`${admin}x`)],
  ["a client's token", bearer("1234")],
  ["a client's token as password", basic("1234")],
  ["it as user name", { authorization: `Basic ${Buffer.from(`${admin}:`).toString("base64")}` }],
  ["it in another scheme", { authorization: `Digest ${admin}` }],
  ["it without a scheme", { authorization: admin }],
  ["it and another", { authorization: `Bearer ${admin}, Bearer ${admin}` }],
];

type Document = { paths: Record<string, Record<string, { security?: Record<string, unknown>[] }>> };

async function operatorsRoutes(service: TestService): Promise<string[]> {
  const { paths } = (await (await service.get("/openapi.json")).json()) as Document;
  return Object.keys(paths).filter((path) => ![...open, "/problems/{code}"].includes(path));
}

describe("a route of operators", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService(yaml, { TIDEGATE_ADMIN_TOKEN: admin });
  });
  afterAll(() => service[Symbol.asyncDispose]());

  it.each(wrong)("answers 401 and what to do to who sends %s", async (_, headers) => {
    const routes = await operatorsRoutes(service);
    expect(routes).toEqual(expect.arrayContaining(["/metrics", "/admin/v1/cache"]));
    for (const route of routes) {
      const refused = await service.get(route, headers);
      expect([route, refused.status]).toEqual([route, 401]);
      expect(refused.headers.get("www-authenticate")).toContain("Bearer");
      const text = await refused.text();
      expect(JSON.parse(text)).toMatchObject({
        code: "operators-only",
        detail: "This route is for operators; send Authorization: Bearer with the value of TIDEGATE_ADMIN_TOKEN.",
      });
      expect(text).not.toContain(admin);
    }
  });

  it.each([
    ["as Bearer token", bearer(admin)],
    ["as Basic password", basic(admin)],
  ])("lets the credential in %s", async (_, headers) => {
    for (const route of await operatorsRoutes(service)) {
      const answer = await service.get(route, headers);
      expect([route, answer.status]).not.toEqual([route, 401]);
      expect(answer.headers.get("cache-control")).toBe("no-store");
    }
  });

  it("is described as one", async () => {
    const { paths } = (await (await service.get("/openapi.json")).json()) as Document;
    for (const [path, methods] of Object.entries(paths)) {
      const demands = (await operatorsRoutes(service)).includes(path);
      for (const { security = [{}] } of Object.values(methods)) {
        expect([path, security.every((each) => "admin" in each || "adminAsPassword" in each)]).toEqual([path, demands]);
      }
    }
  });

  it("is closed, and says so, where no credential is configured", async () => {
    await using bare = await startService(yaml);
    for (const [, headers] of [...wrong, ["the empty one", basic("")] as const]) {
      const refused = await bare.get("/metrics", headers);
      expect(refused.status).toBe(401);
      expect(((await refused.json()) as { detail: string }).detail).toContain(
        "start Tidegate with TIDEGATE_ADMIN_TOKEN",
      );
    }
  });

  it("is no way to be a client: the credential is no token of one", async () => {
    expect((await service.get("/features", bearer(admin))).status).toBe(401);
  });
});

describe("readiness", () => {
  it("tells everybody its status, and operators how each part does", async () => {
    await using service = await startService(yaml, { TIDEGATE_ADMIN_TOKEN: admin });
    for (const [name, headers] of wrong) {
      const answer = await service.get("/health/ready", headers);
      expect([name, answer.status, await answer.text()]).toEqual([name, 200, '{"status":"ready"}']);
    }
    expect(await (await service.get("/health/ready", bearer(admin))).json()).toEqual({
      status: "ready",
      connections: { store: "answering" },
      sources: { everyone: "answering" },
    });
  });

  it("does so too while it is not ready", async () => {
    const away = yaml.replace(/store: \{.*\}/, 'store: { kind: redis, url: "redis://127.0.0.1:1" }');
    await using service = await startService(away, { TIDEGATE_ADMIN_TOKEN: admin });
    const answer = await service.get("/health/ready");
    expect([answer.status, await answer.text()]).toEqual([503, '{"status":"not ready"}']);
    const told = await service.get("/health/ready", basic(admin));
    expect([told.status, await told.json()]).toEqual([
      503,
      { status: "not ready", connections: { store: "failing" }, sources: { everyone: "failing" } },
    ]);
  });
});

describe("the credential of operators", () => {
  it.each(["short", "fifteen-letters", "sixteen and spaces", "sechzehn-zeichen-größer"])(
    "is refused with the way out, and not told, where it is %j",
    async (value) => {
      const error = await loadConfig("config/embedded.yaml", { TIDEGATE_ADMIN_TOKEN: value }).catch(String);
      expect(error).toContain("environment TIDEGATE_ADMIN_TOKEN: is no credential; set 16 or more visible ASCII");
      expect(error).not.toContain(value);
    },
  );
});
