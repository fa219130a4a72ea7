import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tidegate } from "../../../support/tidegate.ts";

describe("tidegate sets", () => {
  let folder: string;
  const run = (...args: string[]) =>
    tidegate(["sets", ...args], { TIDEGATE_DATA: folder, TIDEGATE_CONFIG: join(folder, "tidegate.yaml") });
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-sets-"));
    const source = (name: string, key: string) =>
      `  - { name: ${name}, kind: set, connection: store, key: "${key}" }\n`;
    writeFileSync(
      join(folder, "tidegate.yaml"),
      `connections:\n  store: { kind: sqlite, file: "${join(folder, "store.db")}" }\nsources:\n${[
        source("global", "global_features"),
        source("user", "features:user:{userId}"),
        source("location", "location:{location}"),
        source("offers", "offers"),
        source("swapped", "beta"),
        source("beta", "swapped"),
      ].join("")}  - { name: literal, kind: static, features: { always: true } }\n`,
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    [["global"], "global_features"],
    [["user", "--user", "1"], "features:user:1"],
    [["location", "--location", "São Paulo"], "location:São%20Paulo"],
    [["global_features"], "global_features"],
    [["features:user:1"], "features:user:1"],
    [["features:user:1", "--connection", "store"], "features:user:1"],
    [["offers"], "offers"],
    [["beta", "--connection", "store"], "beta"],
  ])("names the set of %j", async ([name = "", ...options], key) => {
    expect(await run("add", name, "a", ...options)).toEqual({
      code: 0,
      stdout: expect.stringMatching(`^${key}: [01] of 1 added\n$`),
      stderr: "",
    });
    expect((await run("list", name, ...options)).stdout).toBe("a\n");
  });

  it.each([
    [["user"], 2, /^tidegate: source "user" has one set for each user \(add --user\)\n/],
    [["location"], 2, /^tidegate: source "location" has one set for each location \(add --location\)\n/],
    [["user", "--user", "1", "--location", "es"], 2, /has no set for each location \(omit --location\)/],
    [["features:user:1", "--user", "1"], 2, /is the key of one set \(omit --user and --location\)/],
    [["global", "--connection", "store"], 2, /is a source, not a key \(omit --connection\)/],
    [["beta"], 2, /"beta" is both a source and the key of another set .*--connection.* its key swapped\)/],
    [["literal"], 1, /Source "literal" \(kind static\) has no sets/],
    [["nowhere"], 1, /No source reads the set "nowhere".* The sources are: global, user, location,/],
    [["location:São Paulo"], 1, /Write its key as location:São%20Paulo/],
    [["user", "--user", "x".repeat(201)], 1, /200 printable characters/],
  ])("rejects %j and states the fix", async ([name = "", ...options], exitCode, message) => {
    const { code, stdout, stderr } = await run("add", name, "a", ...options);
    expect([code, stdout, stderr]).toEqual([exitCode, "", expect.stringMatching(message)]);
  });

  it("prints JSON", async () => {
    expect((await run("add", "global", "b", "a", "--json")).stdout).toMatch(
      /^\{"key":"global_features","added":\[.*\],"removed":\[\]\}\n$/,
    );
    expect((await run("list", "global", "--json")).stdout).toBe(
      '{"key":"global_features","features":["a","b"],"invalidMembers":0}\n',
    );
    expect((await run("remove", "global", "b", "x", "--json")).stdout).toBe(
      '{"key":"global_features","added":[],"removed":["b"]}\n',
    );
  });

  it("names the configuration in errors", async () => {
    expect((await run("list", "nowhere")).stderr).toMatch(/\(configuration: .*tidegate\.yaml\)\n$/);
  });
});
