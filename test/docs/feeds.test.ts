import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { document, startFeedServer } from "../support/feed-server.ts";
import { adminToken } from "../support/operator.ts";
import { until } from "../support/until.ts";
import { Walkthrough } from "../support/walkthrough.ts";

it("docs/how-to/feeds.md shows the output of its commands", async () => {
  const page = readFileSync(resolve(import.meta.dirname, "../../docs/how-to/feeds.md"), "utf8");
  const body = /\.end\(`([\s\S]*?)`\)\)\.listen/.exec(page)?.[1] ?? "";
  await using feedServer = await startFeedServer(document(body, "application/json"));
  using walk = new Walkthrough("docs/how-to/feeds.md");
  walk.configure("Use it");
  const env = {
    TIDEGATE_DATA: join(walk.folder, "data"),
    TIDEGATE_CONFIG: join(walk.folder, "my.yaml"),
    TIDEGATE_ADMIN_TOKEN: adminToken,
    PARTNER_URL: feedServer.url,
  };
  await using service = await walk.serve(env);
  const url = service.url;
  await until(async () => (await (await fetch(`${url}/search`)).text()).includes("An evening of pop"), "it is read");
  await walk.follow("Use it", url, env, 6);
  expect(feedServer.requests.length).toBeGreaterThanOrEqual(2);
});
