import { hc } from "hono/client";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import type { Api } from "../../../src/adapters/http/api.ts";
import { adminToken, sqliteRules } from "../../support/operator.ts";
import { startService, type TestService } from "../../support/service.ts";

describe("the types of the API", () => {
  let service: TestService;
  const client = (token = adminToken) => hc<Api>(service.url, { headers: { Authorization: `Bearer ${token}` } });
  beforeAll(async () => {
    service = await startService(sqliteRules, { TIDEGATE_ADMIN_TOKEN: adminToken });
  });
  afterAll(() => service[Symbol.asyncDispose]());

  it("give the response of each status", async () => {
    const response = await client().admin.v1.killed[":feature"].$put({ param: { feature: "old" } });
    if (response.status !== 200) throw new Error("the kill was refused");
    const change = await response.json();
    expectTypeOf(change.added).toEqualTypeOf<readonly string[]>();
    expect(change).toMatchObject({ source: "killed", added: ["old"] });

    const refused = await client("wrong").admin.v1.killed.$get();
    expectTypeOf(refused.status).toEqualTypeOf<200 | 400 | 401 | 403 | 409 | 503>();
    if (refused.status !== 401) throw new Error("the credential was accepted");
    const { code } = await refused.json();
    expectTypeOf(code).extract<"unauthenticated">().not.toBeNever();
    expect(code).toBe("unauthenticated");
  });

  it("reject a path, query, body and parameter that the service rejects", () => {
    const { v1 } = client().admin;
    // Checked by the compiler, and never called.
    expectTypeOf(() => [
      // @ts-expect-error: no such path
      v1.feature.$get(),
      // @ts-expect-error: no such method
      v1.features.$put(),
      // @ts-expect-error: no such query parameter
      v1.features.$get({ query: { limits: "1" } }),
      // @ts-expect-error: no such value
      v1.killed[":feature"].$put({ param: { feature: "x" }, query: { wait: "yes" } }),
      // @ts-expect-error: the parameter `source` is missing
      v1.sources[":source"].features.$get({ param: {} }),
      // @ts-expect-error: the body is missing
      v1.changes.$post({}),
      // @ts-expect-error: no such member
      v1.changes.$post({ json: { changes: [{ source: "user", addd: ["x"] }] } }),
    ]).toBeFunction();
  });

  it("accept the features of a client, with any attribute, and an optional body", async () => {
    const features = await client().features.$get({ query: { location: "madrid" } });
    expectTypeOf(client().features.$get).toBeCallableWith({ query: { plan: "gold" } });
    expect(features.status).toBe(401);
    const issued = await client().admin.v1.users[":userId"].tokens.$post({ param: { userId: "1" } });
    expect(issued.status).toBe(201);
    const chosen = await client().admin.v1.users[":userId"].tokens.$post({
      param: { userId: "1" },
      json: { token: "my-own" },
    });
    expect(await chosen.json()).toMatchObject({ userId: "1", token: "my-own" });
  });
});
