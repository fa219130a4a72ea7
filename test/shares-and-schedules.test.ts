import { join } from "node:path";
import { describe, it } from "vitest";
import { TestProcess } from "./support/process.ts";
import { Walkthrough } from "./support/walkthrough.ts";

describe.each([
  ["docs/schedules.md", 9],
  ["docs/percentages.md", 7],
])("the page %s", (name, commands) => {
  it("says what its commands print", async () => {
    using page = new Walkthrough(name);
    page.configure("Use it");
    const token = "the-operators-credential";
    const env = {
      TIDEGATE_DATA: join(page.folder, "data"),
      TIDEGATE_CONFIG: join(page.folder, "my.yaml"),
      TIDEGATE_ADMIN_TOKEN: token,
    };
    await using service = new TestProcess(["src/main.ts"], { ...env, PORT: "0" });
    await page.follow("Use it", await service.url(), env, commands);
  });
});
