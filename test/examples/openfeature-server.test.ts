import { expect, it } from "vitest";
import { adminToken, sqliteRules } from "../support/operator.ts";
import { TestProcess } from "../support/process.ts";
import { bearer, startService } from "../support/service.ts";
import { until } from "../support/until.ts";

it("a server with the OpenFeature SDK evaluates for its users, and sees a change", async () => {
  await using service = await startService(sqliteRules, { TIDEGATE_ADMIN_TOKEN: adminToken });
  const change = (method: string, path: string) =>
    fetch(`${service.url}/admin/v1${path}`, { method, headers: bearer(adminToken) });
  expect((await change("PUT", "/sources/user/features/feature_3?userId=1")).status).toBe(200);
  expect((await change("PUT", "/sources/active/features/feature_3")).status).toBe(200);
  await using app = new TestProcess(["examples/openfeature-server/server.mjs"], {
    TIDEGATE_URL: service.url,
    TIDEGATE_CREDENTIAL: adminToken,
    PORT: "0",
  });
  await until(() => /http:\S+/.test(app.stdout), "the app listens");
  const url = /http:\S+/.exec(app.stdout)?.[0];
  const ask = async (user = "") => (await fetch(`${url}/${user}`)).text();
  await until(async () => (await ask("1")) === "feature_3 is on for 1\n", "user 1 has the feature");
  expect(await ask("2")).toBe("feature_3 is off for 2\n");
  expect(await ask()).toBe("feature_3 is off for everyone\n");
  expect((await change("PUT", "/killed/feature_3")).status).toBe(200);
  expect(await ask("1")).toBe("feature_3 is off for 1\n");
});
