import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inSqlite, kindsEnv, switchesRules } from "../../../support/switches.ts";
import { tidegate } from "../../../support/tidegate.ts";

describe("tidegate rules", () => {
  let folder: string;
  const run = (args: readonly string[], input?: string) =>
    tidegate(
      ["--config", join(folder, "tidegate.yaml"), "rules", ...args],
      { ...kindsEnv, FOLDER: folder, TIDEGATE_DATA: folder },
      input,
    );
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-cli-"));
    writeFileSync(join(folder, "tidegate.yaml"), switchesRules(inSqlite));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("sets, lists, prints and removes rules", async () => {
    expect((await run(["set", "switches", "b", '{"on":true}'])).stdout).toBe(
      'rule for b in switches: {"on":true,"floors":[]}\n',
    );
    await run(["set", "switches", "a"], '{ "on": false, "floors": [3] }\n');
    expect((await run(["list", "switches"])).stdout).toBe('a {"on":false,"floors":[3]}\nb {"on":true,"floors":[]}\n');
    expect(JSON.parse((await run(["get", "switches", "a"])).stdout)).toEqual({ on: false, floors: [3] });
    expect((await run(["remove", "switches", "a"])).stdout).toBe("rule for a in switches: removed\n");
    expect((await run(["remove", "switches", "a"])).stdout).toBe("no rule for a in switches\n");
    expect((await run(["list", "switches"])).stdout).toBe('b {"on":true,"floors":[]}\n');
  });

  it("sets flags and segments of kind flagd, exports them, and imports them in any order", async () => {
    const inFolder = (name: string) => join(folder, name);
    const file = inFolder("flags.yaml");
    const configuration = (store: string) =>
      `connections: { features: { kind: sqlite, file: "\${FOLDER}/${store}.db" } }
sources: [{ name: targeting, kind: flagd, connection: features }]
`;
    const tool = (...args: readonly string[]) =>
      tidegate(["--config", file, ...args], { FOLDER: folder, TIDEGATE_DATA: inFolder("of-flags") });
    writeFileSync(file, configuration("flags"));
    const segment = '{">=":[{"var":"age"},18]}';
    const flag =
      '{"state":"ENABLED","variants":{"on":true},"targeting":{"if":[{"$ref":"adults"},"on"]},"metadata":{"owner":"bar"}}';
    expect((await tool("rules", "set", "targeting", "wine", flag)).stdout).toBe(
      `rule for wine in targeting: ${flag}\n`,
    );
    await tool("rules", "set", "targeting", "$adults", segment);
    expect((await tool("rules", "list", "targeting")).stdout).toBe(`$adults ${segment}\nwine ${flag}\n`);
    const refused = await tool("rules", "set", "targeting", "$adults", '{"older":[18]}');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/"older" is not an operation of flagd/)]);
    expect((await tool("features", "list")).stdout.trimEnd().split("\n")).toEqual([expect.stringMatching(/^wine /)]);
    const { stdout } = await tool("export");
    const lines = stdout.trimEnd().split("\n");
    writeFileSync(inFolder("flags.ndjson"), `${[lines[0], ...lines.slice(1).toReversed()].join("\n")}\n`);
    writeFileSync(file, configuration("other"));
    expect((await tool("import", inFolder("flags.ndjson"))).code).toBe(0);
    expect((await tool("rules", "list", "targeting")).stdout).toBe(`$adults ${segment}\nwine ${flag}\n`);
  });

  it("exports and imports valid rules once each", async () => {
    const tool = (...args: readonly string[]) =>
      tidegate(["--config", join(folder, "tidegate.yaml"), ...args], {
        ...kindsEnv,
        FOLDER: folder,
        TIDEGATE_DATA: folder,
      });
    const file = join(folder, "lines.ndjson");
    const line = (rule: unknown, feature = "carried", source = "switches") =>
      `${JSON.stringify({ rule, source, feature })}\n`;
    const write = (...lines: readonly string[]) => writeFileSync(file, `{"tidegate":1}\n${lines.join("")}`);
    write(line({ on: false }), line({ on: true }), line({ on: true, floors: [1] }, "carried/too"));
    const first = await tool("import", file);
    expect([first.code, first.stdout]).toEqual([0, expect.stringContaining(", rules 3\n")]);
    expect((await run(["get", "switches", "carried"])).stdout).toContain('"on": true');
    expect((await tool("import", file)).stdout).toContain("imported before: 3 of them");
    const { stdout: exported, stderr: notified } = await tool("export");
    expect(notified).toMatch(/^exported \d+ lines: .*, \d rules \(switches \d\)/);
    expect(exported).toContain(line({ on: true, floors: [1] }, "carried/too"));
    expect(exported).toContain(line({ on: true, floors: [] }));

    write(line({ on: 1 }), line({ on: true }, "a", "literal"), line({ on: true }, "a", "nobody"), line(null, ""));
    const { code, stderr } = await tool("import", file);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /line 2: \/on is invalid \(expected boolean\)\.\n.*line 3: Source "literal".*\n.*line 4: Unknown source/,
    );
    expect(stderr).toMatch(/line 5: Invalid feature key ""/);
  });

  it.each([
    [["set", "switches", "c", "{"], 2, /^tidegate: invalid JSON; write a rule such as/],
    [["set", "switches", "c", '{"on":1}'], 1, /^tidegate: \/on is invalid \(expected boolean\)\.\n/],
    [["set", "switches", "a b", '{"on":true}'], 1, /^tidegate: Invalid key for a new grant: "a b"/],
    [["set", "literal", "a", "{}"], 1, /^tidegate: Source "literal" \(kind static\) has no rules/],
    [["list", "nobody"], 1, /^tidegate: Unknown source\. The sources are: killed, switches, literal\.\n/],
    [["get", "switches", "c"], 1, /^tidegate: Source "switches" has no rule for this feature/],
  ])("rejects %j and states the fix", async (args, exitCode, fault) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout, stderr]).toEqual([exitCode, "", expect.stringMatching(fault)]);
  });
});
