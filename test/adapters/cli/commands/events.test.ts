import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tidegate } from "../../../support/tidegate.ts";
import { until } from "../../../support/until.ts";

describe("tidegate events", () => {
  let folder: string;
  let env: { TIDEGATE_DATA: string };
  const run = (...args: string[]) => tidegate(["events", ...args], env);
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-events-"));
    env = { TIDEGATE_DATA: join(folder, "data") };
    await tidegate(["sets", "add", "active_features", "a", "b"], env);
    await tidegate(["sets", "remove", "active_features", "b"], env);
    await tidegate(["sets", "add", "tidegate:killed", "=c"], env);
    await tidegate(["sets", "add", "tidegate:killed", "c"], env);
    // A command relays records to the log for a limited time only.
    const isInLog = async () => (await run("list", "--limit", "1")).stdout.includes("tidegate:killed: c added");
    await until(isInLog, "the changes are in the log");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("lists changes of the command line, newest first, with their author", async () => {
    const { code, stdout } = await run("list", "--component", "features", "--key", "active_features");
    expect(code).toBe(0);
    const lines = stdout.trim().split("\n");
    expect(lines[0]).toMatch(/^\d+ {2}\d{4}-\d\d-\d\dT[\d:.]+Z {2}production {2}features {2}cli:\S+ {2}\S+@\S+ {2}/);
    expect(lines.map((line) => line.split("  ").at(-1))).toEqual(
      expect.arrayContaining(["active_features: b removed", "active_features: a, b added"]),
    );
    expect(lines.findIndex((line) => line.endsWith("b removed"))).toBeLessThan(
      lines.findIndex((line) => line.endsWith("a, b added")),
    );
  });

  it("lists the events that match the filters, up to the limit, and notes that there are more", async () => {
    const one = await run("list", "--limit", "1");
    expect(one.stdout).toMatch(/^[^\n]+tidegate:killed: c added\n$/);
    expect(one.stderr).toContain("older events are omitted");
    expect((await run("list", "--feature", "b")).stdout.trim().split("\n")).toHaveLength(2);
    expect((await run("list", "--message", "B REMOVED")).stdout).toMatch(/^[^\n]+b removed\n$/);
    expect((await run("list", "--environment", "staging")).stdout).toBe("");
    expect((await run("list", "--to", "04-16-2021")).stdout).toBe("");
    expect((await run("list", "--from", "04-16-2021", "--key", "tidegate:killed")).stdout).not.toBe("");
  });

  it.each([
    [["list", "--from", "02-30-2021"], "04-16-2021"],
    [["list", "--to", "yesterday"], "2021-04-16T09:30:00"],
    [["list", "--limit", "0"], "from 1 to 1000"],
    [["list", "--limit", "1001"], "from 1 to 1000"],
    [["export", "--format", "xml"], "ndjson, csv"],
    [["verify", "--head", "abc"], "64"],
  ])("rejects %j and names the accepted values", async (args, wayOut) => {
    const { code, stderr } = await run(...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(wayOut)]);
  });

  it("exports the same as GET /events/export", async () => {
    const { stdout } = await run("export");
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.map(({ position }) => position)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ component: "features", key: "tidegate:killed", store: "features" });
    const csv = await run("export", "--format", "csv", "--key", "tidegate:killed");
    expect(csv.stdout.split("\r\n")[0]).toMatch(/^position,time,component,/);
  });

  it("verifies the log against an earlier head", async () => {
    const [, position, hash = ""] = /^(\d+) ([0-9a-f]{64})\n$/.exec((await run("head")).stdout) ?? [];
    const verified = await run("verify");
    expect([verified.code, verified.stdout]).toEqual([
      0,
      expect.stringContaining(`verified up to event ${position}, head ${hash}\n`),
    ]);
    await tidegate(["sets", "add", "active_features", "d"], env);
    expect((await run("verify", "--head", hash)).code).toBe(0);
    const wrong = await run("verify", "--head", hash.replace(/./g, "0"));
    expect([wrong.code, wrong.stdout]).toEqual([1, ""]);
  });

  it("reverts a change once, as a new event, after a preview", async () => {
    await tidegate(["sets", "add", "global_features", "reverted"], env);
    const [{ id = "" } = {}] = (await run("list", "--feature", "reverted", "--json")).stdout
      .trim()
      .split("\n")
      .map((line): { id?: string } => JSON.parse(line));
    expect((await run("revert", id, "--dry-run")).stdout).toBe(`would revert ${id}: global_features -reverted\n`);
    expect(await run("revert", id)).toMatchObject({
      code: 0,
      stdout: `reverted ${id}: global_features -reverted\n`,
    });
    await tidegate(["sets", "add", "global_features", "reverted"], env);
    const refused = await run("revert", id);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("Changed again by cli:")]);
    expect((await run("revert", "nothing")).stderr).toContain("Unknown event");
  });
});
