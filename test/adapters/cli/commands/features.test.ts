import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { json, startFeedServer } from "../../../support/feed-server.ts";
import { tidegate } from "../../../support/tidegate.ts";
import { until } from "../../../support/until.ts";

describe("tidegate features", () => {
  let env: { TIDEGATE_DATA: string };
  const run = (...args: string[]) => tidegate(["features", ...args], env);
  beforeAll(async () => {
    env = { TIDEGATE_DATA: mkdtempSync(join(tmpdir(), "tidegate-features-")) };
    const lines = [
      { tidegate: 1 },
      { set: "global_features", features: ["feature_1", "feature_2"] },
      { set: "active_features", features: ["feature_3"] },
      { set: "features:user:1", features: ["feature_3", "feature_4"] },
      { catalogue: "feature_3", description: "The new menu", owner: "shop", tags: ["web"] },
    ];
    await tidegate(["import", "-"], env, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  });
  afterAll(() => rmSync(env.TIDEGATE_DATA, { recursive: true }));

  it("lists features with the sources that have them on", async () => {
    expect((await run("list")).stdout).toBe(
      [
        "feature_1  on              global",
        "feature_2  on              global",
        "feature_3  on for some     active (gate), user (1 user)  The new menu",
        "feature_4  held by a gate  user (1 user)",
        "",
      ].join("\n"),
    );
    expect((await run("list", "--search", "MENU")).stdout).toMatch(/^feature_3 .*\n$/);
    expect((await run("list", "--search", "nothing")).stdout).toBe("");
  });

  it("lists one JSON document per feature, as the HTTP API returns it", async () => {
    const { stdout } = await run("list", "--json");
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { feature: "feature_1", state: "on", on: { global: true }, killed: false, catalogue: null },
      { feature: "feature_2", state: "on", on: { global: true }, killed: false, catalogue: null },
      {
        feature: "feature_3",
        state: "on-for-some",
        stale: false,
        on: { global: false, active: true, killed: false, user: { users: 1 } },
        killed: false,
        catalogue: { description: "The new menu", owner: "shop", tags: ["web"] },
      },
      { feature: "feature_4", state: "held", on: { user: { users: 1 } } },
    ]);
  });

  it("shows where a feature is on, and its description", async () => {
    expect((await run("show", "feature_3")).stdout).toBe(
      [
        "feature_3: on for some",
        "  grant global: off",
        "  gate active: on",
        "  veto killed: off",
        "  grant user: 1 user",
        "  description: The new menu",
        "  owner: shop",
        "  tags: web",
        "",
      ].join("\n"),
    );
    expect(JSON.parse((await run("show", "feature_3", "--json")).stdout)).toMatchObject({ on: { user: { users: 1 } } });
    expect(await run("show", "nothing")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^tidegate: .*feature/),
    });
  });

  it("kills and unkills a feature, with a note", async () => {
    expect((await run("kill", "feature_1", "--note", "TICKET-42")).stdout).toBe("feature_1: killed\n");
    expect((await run("kill", "feature_1")).stdout).toBe("feature_1: already killed\n");
    expect((await run("show", "feature_1")).stdout).toMatch(/^feature_1: killed\n/);
    expect((await tidegate(["evaluate"], env)).stdout).toBe("feature_2\n");
    const explained = async () => (await tidegate(["explain", "feature_1"], env)).stdout;
    await until(async () => (await explained()).includes("TICKET-42"), "the kill is in the log");
    expect(await explained()).toMatch(
      /^feature_1: off: veto "killed" \(tidegate:killed\)\n {2}killed: added \S+ by cli:\S+ \(TICKET-42\)\n$/,
    );
    expect((await run("unkill", "feature_1")).stdout).toBe("feature_1: unkilled\n");
    expect((await run("unkill", "feature_1")).stdout).toBe("feature_1: not killed\n");
    expect((await tidegate(["evaluate"], env)).stdout).toBe("feature_1\nfeature_2\n");
    expect(JSON.parse((await run("kill", "feature_2", "--json")).stdout)).toEqual({
      feature: "feature_2",
      killed: true,
      changed: true,
      source: "killed",
      key: "tidegate:killed",
    });
    await run("unkill", "feature_2");
  });

  it("waits for the document of a source that is polled", async () => {
    const flags = { new_menu: { state: "ENABLED", variants: { on: true }, defaultVariant: "on" } };
    await using server = await startFeedServer(json({ flags }));
    const file = join(env.TIDEGATE_DATA, "polled.yaml");
    writeFileSync(file, `sources: [{ name: rules, kind: flagd, url: "${server.url}" }]\n`);
    const ofPolled = async (...args: string[]) => (await tidegate(["-c", file, "features", ...args], env)).stdout;
    expect(await ofPolled("list")).toBe("new_menu  on  rules\n");
    expect(await ofPolled("show", "new_menu")).toBe("new_menu: on\n  grant rules: on\n");
  });

  it("lists the features of a past time", async () => {
    const past = await run("list", "--at", "2020-01-01T00:00:00Z");
    expect(past).toMatchObject({ code: 1, stderr: expect.stringMatching(/history|recorded/) });
    expect(await run("list", "--at", "monday")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--at monday"),
    });
  });
});
