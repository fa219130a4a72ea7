import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tidegate } from "../../support/tidegate.ts";
import { until } from "../../support/until.ts";

describe("--json", () => {
  let env: { TIDEGATE_DATA: string };
  beforeAll(async () => {
    env = { TIDEGATE_DATA: mkdtempSync(join(tmpdir(), "tidegate-json-")) };
    await tidegate(["demo"], env);
    await tidegate(["credentials", "add", "first", "--scope", "viewer"], env);
    const isLogged = async () => (await tidegate(["events", "list"], env)).stdout.split("\n").length > 3;
    await until(isLogged, "the changes are in the log");
  });
  afterAll(() => rmSync(env.TIDEGATE_DATA, { recursive: true }));

  it.each([
    [["validate"], []],
    [["evaluate"], []],
    [["features", "list"], []],
    [["features", "show"], ["feature_1"]],
    [["features", "kill"], ["feature_9"]],
    [["features", "unkill"], ["feature_9"]],
    [
      ["sets", "list"],
      ["user", "--user", "1"],
    ],
    [
      ["sets", "add"],
      ["global", "feature_9"],
    ],
    [
      ["sets", "remove"],
      ["global", "feature_9"],
    ],
    [
      ["tokens", "add"],
      ["--user", "2"],
    ],
    [["tokens", "remove"], []],
    [
      ["credentials", "add"],
      ["second", "--scope", "viewer"],
    ],
    [["credentials", "list"], []],
    [["credentials", "revoke"], ["second"]],
    [["sources", "list"], []],
    [["sources", "kinds"], []],
    [["stores", "accept"], []],
    [
      ["events", "list"],
      ["--key", "global_features"],
    ],
    [["events", "head"], []],
    [["events", "verify"], []],
    [["import"], ["-"]],
    [["demo"], ["--yes"]],
  ])("prints the members of the example in the help: tidegate %j %j", async (command, args) => {
    const { stdout: help } = await tidegate([...command, "--help"], env);
    const [, example = ""] = /\nWith --json.*:\n {2}(\{.*\})\n/.exec(help) ?? [];
    const input = command[0] === "import" ? '{"tidegate":1}\n' : "a-token\n";
    const { code, stdout, stderr } = await tidegate([...command, ...args, "--json"], env, input);
    expect([code, stderr]).toEqual([0, ""]);
    const documents = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const document of documents) expect(Object.keys(document)).toEqual(Object.keys(JSON.parse(example)));
  });

  it("prints the explanation that POST /admin/v1/explain returns", async () => {
    const { stdout } = await tidegate(["explain", "feature_1", "--json"], env);
    expect(JSON.parse(stdout)).toMatchObject({
      state: "current",
      features: [{ feature: "feature_1", on: true, message: 'on: grant "global" (global_features)' }],
    });
  });
});
