import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminToken, operatorOf } from "../../../support/operator.ts";
import { rawGet } from "../../../support/raw-http.ts";
import { bearer, startService, type TestService, ways } from "../../../support/service.ts";
import { until } from "../../../support/until.ts";

/**
 * A source that switches on a feature for each field of its `varyBy`, named after its value, and one that counts its
 * calls.
 */
const echo = `
let asked = 0;
const on = { on: true, value: true, reason: "TARGETING_MATCH" };
const shown = ([name, value]) => name + "=" + (typeof value === "object" ? JSON.stringify(value) : value);
const valueOf = (context, [field, attribute]) => (attribute ? context[field]?.[attribute] : context[field]);
const fieldsOf = (context, varyBy) => {
  if (!varyBy) return Object.entries(context).filter(([name]) => name !== "at");
  return varyBy.map((name) => [name, valueOf(context, name.split("."))]).filter(([, value]) => value !== undefined);
};
export const source = {
  summary: "Says what it was asked.",
  options: ({ z }) => z.strictObject({ varyBy: z.array(z.string()).optional(), changesAt: z.number().optional() }),
  example: {},
  create: ({ varyBy, changesAt }) => ({
    ...(varyBy && { varyBy }),
    resolve: (context) => {
      asked += 1;
      const { at } = context;
      const features = [...fieldsOf(context, varyBy).map(shown), "asked=" + asked];
      const validUntil = at < changesAt ? changesAt : Number.POSITIVE_INFINITY;
      return { features: new Map(features.map((feature) => [feature, on])), validUntil };
    },
  }),
};
`;

const folder = mkdtempSync(join(tmpdir(), "tidegate-echo-"));
writeFileSync(join(folder, "echo.js"), echo);
const kind = `../${basename(folder)}/echo.js`;
afterAll(() => rmSync(folder, { recursive: true }));

const contextSection = `
context:
  trustedProxies: [loopback, 10.0.0.0/8]
  clientId: { cookie: client }
  attributes:
    country: { query: country, type: string, pattern: "[A-Z]{2}" }
    appVersion: { query: app_version, header: X-App-Version }
    seats: { query: seats, type: number }
    beta: { header: X-Beta, type: boolean }
`;

const featuresIn = async (answer: Response): Promise<readonly string[]> =>
  ((await answer.json()) as { active_features: readonly string[] }).active_features;

describe.each(ways)("calls served %s", (_, way) => {
  const serve = (sources: string, more = contextSection): Promise<TestService> =>
    startService(
      `
connections:
  users: { kind: sqlite, file: "\${FOLDER}/store.db" }
tokens: { connection: users }
${more}
sources:
${sources}
`,
      { TIDEGATE_SOURCE_FOLDERS: folder, TIDEGATE_ADMIN_TOKEN: adminToken },
      way,
    );

  describe("the request context", () => {
    let service: TestService;
    beforeAll(async () => {
      service = await serve(`  - { name: echo, kind: ${kind} }`);
    });
    afterAll(() => service[Symbol.asyncDispose]());

    /** The features without the call counter. */
    const asked = async (path: string, headers: Record<string, string> = {}) =>
      (await featuresIn(await service.get(path, headers))).filter((feature) => !/^(asked|ip)=/.test(feature));
    const fixed = { "tidegate-client-id": "c1" };

    it.each<[path: string, headers: Record<string, string>, ...fields: string[]]>([
      ["/features", fixed, "targetingKey=c1"],
      ["/features", { cookie: "other=1; client=c2" }, "targetingKey=c2"],
      ["/features", { cookie: "client=c2", ...fixed }, "targetingKey=c1"],
      ["/features?location=es", fixed, 'locations=["es"]', "targetingKey=c1"],
      ["/features?country=ES", fixed, 'attributes={"country":"ES"}', "targetingKey=c1"],
      ["/features", { "x-app-version": "2.3", ...fixed }, 'attributes={"appVersion":"2.3"}', "targetingKey=c1"],
      [
        "/features?app_version=3",
        { "x-app-version": "2", ...fixed },
        'attributes={"appVersion":"3"}',
        "targetingKey=c1",
      ],
      [
        "/features?seats=-1.5",
        { "x-beta": "true", ...fixed },
        'attributes={"seats":-1.5,"beta":true}',
        "targetingKey=c1",
      ],
      ["/features?plan=gold&userId=2&targetingKey=3&ip=1.2.3.4", fixed, "targetingKey=c1"],
    ])("contains only declared fields of %s with %j", async (path, headers, ...fields) => {
      expect(await asked(path, headers)).toEqual(fields);
    });

    it("uses the user id as targeting key, regardless of a client id", async () => {
      const { post } = operatorOf(service);
      expect((await post("/users/7/tokens", { token: "seven" })).status).toBe(201);
      await until(async () => (await service.get("/features", bearer("seven"))).ok, "the token is known");
      expect(await asked("/features", { ...bearer("seven"), ...fixed })).toEqual(["targetingKey=7", "userId=7"]);
    });

    it("never takes the user id from a client id", async () => {
      expect(await asked("/features", { "tidegate-client-id": "7" })).toEqual(["targetingKey=7"]);
    });

    it.each([
      ["/features?country=es", {}, "Invalid attribute country (expected a text that matches ^(?:[A-Z]{2})$)."],
      ["/features?country=ESP", {}, "Invalid attribute country (expected a text that matches"],
      ["/features?country=", {}, "Invalid attribute country (expected 1 to 200 printable characters"],
      ["/features?country=ES&country=FR", {}, 'The query parameter "country" is repeated. Send it once.'],
      ["/features?seats=many", {}, "Invalid attribute seats (expected a number"],
      ["/features?seats=NaN", {}, "Invalid attribute seats (expected a number"],
      ["/features?seats=1e400", {}, "Invalid attribute seats (expected a number"],
      ["/features", { "x-beta": "yes" }, "Invalid attribute beta (expected true or false"],
      [`/features?app_version=${"9".repeat(201)}`, {}, "Invalid attribute appVersion (expected 1 to 200"],
      ["/features", { "tidegate-client-id": "x".repeat(201) }, "Invalid Tidegate-Client-Id (expected 1 to 200"],
    ])("is rejected for %s with %j, with the expected value", async (path, headers, detail) => {
      const answer = await service.get(path, { ...fixed, ...headers });
      const body = (await answer.json()) as { code: string; detail: string };
      expect([answer.status, body.code]).toEqual([400, "invalid-context"]);
      expect(body.detail).toContain(detail);
    });

    it("takes the address only from trusted proxies", async () => {
      const ip = async (forwarded: string) =>
        (await featuresIn(await service.get("/features", { "x-forwarded-for": forwarded, ...fixed }))).find((each) =>
          each.startsWith("ip="),
        );
      expect(await ip("81.2.69.142")).toBe("ip=81.2.69.142");
      expect(await ip("1.1.1.1, 81.2.69.142, 10.1.2.3")).toBe("ip=81.2.69.142");
      expect(await ip("::ffff:81.2.69.142")).toBe("ip=81.2.69.142");
      expect(await ip("not an address")).toBeUndefined();
      await using distrustful = await serve(`  - { name: echo, kind: ${kind} }`, "");
      const answer = await distrustful.get("/features", { "x-forwarded-for": "81.2.69.142" });
      expect(await featuresIn(answer)).toContain("ip=127.0.0.1");
    });

    it("determines the Vary header", async () => {
      const answer = await service.get("/features", fixed);
      expect(answer.headers.get("vary")).toBe("Authorization, X-App-Version, X-Beta, Tidegate-Client-Id, Cookie");
    });

    it("can be given explicitly for an explanation", async () => {
      const { post } = operatorOf(service);
      const notified = {
        location: "es",
        ip: "81.2.69.142",
        targetingKey: "c9",
        attributes: { country: "ES", beta: true },
      };
      const { body } = await post("/explain", notified);
      const on = (body.features as { feature: string }[]).map(({ feature }) => feature);
      expect(on.filter((feature) => !feature.startsWith("asked="))).toEqual([
        'attributes={"country":"ES","beta":true}',
        "ip=81.2.69.142",
        'locations=["es"]',
        "targetingKey=c9",
      ]);
      for (const [attributes, detail] of [
        [{ plan: "gold" }, /Unknown attribute "plan"\. The configuration declares: country, appVersion, seats, beta/],
        [{ seats: "1" }, /seats \(expected a number/],
        [{ country: "es" }, /expected a text that matches/],
      ] as const) {
        const refused = await post("/explain", { attributes });
        expect([refused.status, refused.body.code]).toEqual([400, "invalid-context"]);
        expect(refused.body.detail).toMatch(detail);
      }
    });
  });

  describe("the location of a caller", () => {
    const locating = `
locators:
  - { kind: query  }
  - { kind: header, header: CF-IPCountry }
  - { kind: geoip }
`;
    const source = `  - { name: echo, kind: ${kind}, varyBy: [locations] }`;
    const British = { "x-forwarded-for": "81.2.69.142" };

    it("comes from the query, else from the proxy, else from the address", async () => {
      await using service = await serve(source, `context: { trustedProxies: [loopback] }\n${locating}`);
      const where = async (path: string, headers: Record<string, string> = {}) =>
        (await featuresIn(await service.get(path, headers))).find((each) => each.startsWith("locations="));
      for (const [path, headers, expected] of [
        ["/features?location=fr/paris", { "cf-ipcountry": "ES", ...British }, 'locations=["fr/paris","fr"]'],
        ["/features", { "cf-ipcountry": "ES", ...British }, 'locations=["es"]'],
        ["/features", { "cf-ipcountry": "XX", ...British }, 'locations=["gb"]'],
        ["/features", British, 'locations=["gb"]'],
        ["/features", {}, undefined],
      ] as const) {
        expect(await where(path, headers)).toBe(expected);
        expect(await where(path, headers)).toBe(expected);
      }
      expect((await service.get("/features")).headers.get("vary")).toBe("Authorization, cf-ipcountry");
    });

    it("ignores headers of untrusted proxies", async () => {
      await using service = await serve(source, `context: { trustedProxies: [10.0.0.0/8] }\n${locating}`);
      const answer = await service.get("/features", { "cf-ipcountry": "ES", ...British });
      expect((await featuresIn(answer)).some((each) => each.startsWith("locations="))).toBe(false);
    });
  });

  describe("the explicit context for another time", () => {
    it("has the attributes of the query and the client id, and nothing of the operator's request", async () => {
      await using service = await serve(`  - { name: echo, kind: ${kind} }`);
      const at = new Date(Date.now() + 60_000).toISOString();
      const headers = { ...bearer(adminToken), "tidegate-client-id": "c1", "x-beta": "true" };
      const answer = await service.get(`/features?at=${at}&country=ES&location=es`, headers);
      expect((await featuresIn(answer)).filter((feature) => !feature.startsWith("asked="))).toEqual([
        'attributes={"country":"ES"}',
        'locations=["es"]',
        "targetingKey=c1",
      ]);
      expect((await service.get(`/features?at=${at}&country=es`, headers)).status).toBe(400);
      expect((await service.get(`/features?at=${at}&plan=gold`, headers)).status).toBe(400);
    });
  });

  describe("the id of a client", () => {
    it("is issued to clients without one, if a source uses it", async () => {
      await using counting = await serve(`  - { name: echo, kind: ${kind}, varyBy: [targetingKey] }`);
      const answer = await counting.get("/features");
      const id = answer.headers.get("tidegate-client-id");
      expect(await featuresIn(answer)).toContain(`targetingKey=${id}`);
      expect(answer.headers.get("set-cookie")).toBe(`client=${id}; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax`);
      const again = await counting.get("/features", { cookie: `client=${id}` });
      expect([again.headers.get("set-cookie"), again.headers.get("tidegate-client-id")]).toEqual([null, null]);
      expect((await counting.get("/features")).headers.get("tidegate-client-id")).not.toBe(id);

      await using other = await serve(`  - { name: echo, kind: ${kind}, varyBy: [locations] }`);
      const plain = await other.get("/features");
      expect([plain.headers.get("set-cookie"), plain.headers.get("vary")]).toEqual([null, "Authorization"]);
    });

    it("is accepted but not issued by default", async () => {
      await using service = await serve(`  - { name: echo, kind: ${kind}, varyBy: [targetingKey] }`, "");
      expect(await featuresIn(await service.get("/features", { "tidegate-client-id": "mine" }))).toContain(
        "targetingKey=mine",
      );
      const answer = await service.get("/features");
      expect([answer.headers.get("tidegate-client-id"), answer.headers.get("set-cookie")]).toEqual([null, null]);
    });
  });

  describe("a cached response", () => {
    const askedIn = async (answer: Response) =>
      (await featuresIn(answer)).find((feature) => feature.startsWith("asked="));

    it("serves all requests with equal context fields", async () => {
      const source = `  - { name: echo, kind: ${kind}, varyBy: [locations, attributes.country] }`;
      await using service = await serve(source);
      const ask = async (path: string, headers: Record<string, string> = {}) =>
        askedIn(await service.get(path, headers));
      const first = await ask("/features?location=es&country=ES");
      for (const [path, headers] of [
        ["/features?country=ES&location=es", {}],
        ["/features?location=es&country=ES&seats=3", {}],
        ["/features?location=es&country=ES", { "tidegate-client-id": "c1", "x-beta": "true" }],
        ["/features?location=es&country=ES&junk=1", { "x-app-version": "9" }],
      ] as const) {
        expect(await ask(path, headers)).toBe(first);
        expect(await ask(path, headers)).toBe(first);
      }
      expect(await ask("/features?location=es")).not.toBe(first);
      expect(await ask("/features?location=fr&country=ES")).not.toBe(first);
    });

    it("is the same, cached or not, regardless of unused headers", async () => {
      await using service = await serve(`  - { name: echo, kind: ${kind}, varyBy: [locations] }`);
      for (const value of ["nonsense", "true", "nonsense"]) {
        expect((await service.get("/features", { "x-beta": value })).status).toBe(200);
      }
    });

    it("is not served to requests that differ in a used header", async () => {
      const source = `  - { name: echo, kind: ${kind}, varyBy: [targetingKey, attributes] }`;
      await using service = await serve(source);
      for (const header of ["Tidegate-Client-Id", "X-App-Version"]) {
        const ask = async (value: string) =>
          (await rawGet(service.url, "/features", "Tidegate-Client-Id: c", `${header}: ${value}`)).body;
        expect(new Set([await ask("1"), await ask("2"), await ask("1"), await ask("2")]).size).toBe(2);
      }
    });

    it("is valid until a source changes by schedule, as Next-Change-At states", async () => {
      const changesAt = Date.now() + 1_500;
      await using service = await serve(`  - { name: echo, kind: ${kind}, varyBy: [], changesAt: ${changesAt} }`);
      const first = await service.get("/features");
      expect(first.headers.get("next-change-at")).toBe(new Date(changesAt).toISOString());
      const before = await askedIn(first);
      let after: Response | undefined;
      const hasChanged = async () => {
        const startedAt = Date.now();
        after = await service.get("/features");
        const isSame = (await askedIn(after.clone())) === before;
        expect(isSame ? startedAt < changesAt : Date.now() >= changesAt).toBe(true);
        return !isSame;
      };
      await until(hasChanged, "the answer has changed");
      expect(after?.headers.get("next-change-at")).toBeNull();
    });
  });
});
