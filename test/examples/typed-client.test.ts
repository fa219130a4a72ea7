import { expect, it } from "vitest";
import { adminToken, sqliteRules } from "../support/operator.ts";
import { TestProcess } from "../support/process.ts";
import { startService } from "../support/service.ts";
import { until } from "../support/until.ts";

it("a typed client changes a user's set and reads the result", async () => {
  await using service = await startService(sqliteRules, { TIDEGATE_ADMIN_TOKEN: adminToken });
  const run = (credential: string) =>
    new TestProcess(["examples/typed-client/client.ts", "1", "new/menu"], {
      TIDEGATE_URL: service.url,
      TIDEGATE_CREDENTIAL: credential,
    });
  await using client = run(adminToken);
  await until(() => client.stdout.includes("on:"), "the client has printed the features");
  expect(client.stdout).toBe("user: new/menu\non: always\n");
  await using refused = run("wrong");
  await until(() => refused.stderr.includes("Operator credential required"), "the client has printed the problem");
});
