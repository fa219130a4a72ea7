import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandNames } from "../../../src/adapters/cli/program.ts";
import { kinds } from "../../../src/adapters/sources/_catalogue/source-catalogue.ts";
import { respondWith, startDocumentServer } from "../../support/document-server.ts";
import { tidegate } from "../../support/tidegate.ts";
import { until } from "../../support/until.ts";

describe("the command line", () => {
  let folder: string;
  let env: { TIDEGATE_DATA: string };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-cli-"));
    env = { TIDEGATE_DATA: join(folder, "data") };
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("loads the demo into empty stores, and into others with --yes", async () => {
    expect(await tidegate(["demo"], env)).toEqual({
      code: 0,
      stdout:
        "global_features: feature_1, feature_2\nactive_features: feature_3\nfeatures:user:1: feature_3, feature_4\ntoken 1234: user 1\n",
      stderr: "",
    });
    const again = await tidegate(["demo"], env);
    expect([again.code, again.stderr]).toEqual([
      1,
      expect.stringMatching(/^tidegate: the stores are not empty; .* --yes/),
    ]);
    expect((await tidegate(["demo", "--yes"], env)).code).toBe(0);
  });

  it("evaluates for everyone, for a user and for a token", async () => {
    expect((await tidegate(["evaluate"], env)).stdout).toBe("feature_1\nfeature_2\n");
    expect((await tidegate(["evaluate", "--user", "1"], env)).stdout).toBe("feature_1\nfeature_2\nfeature_3\n");
    expect((await tidegate(["evaluate", "--token"], env, "1234\n")).stdout).toBe("feature_1\nfeature_2\nfeature_3\n");
    const unknown = await tidegate(["evaluate", "--token"], env, "12345\n");
    expect([unknown.code, unknown.stdout]).toEqual([1, ""]);
    expect(unknown.stderr).toMatch(/^tidegate: Unknown token/);
    expect((await tidegate(["evaluate", "--token"], env, "")).stderr).toMatch(/no token on standard input/);
  });

  it("waits for the first result of a polled source", async () => {
    const flag = { state: "ENABLED", variants: { on: true }, defaultVariant: "on" };
    await using flags = await startDocumentServer(respondWith(JSON.stringify({ flags: { polled: flag } })));
    const file = join(folder, "polled.yaml");
    writeFileSync(file, `sources: [{ name: flags, kind: flagd, url: "${flags.url}" }]\n`);
    expect((await tidegate(["--config", file, "evaluate"], env)).stdout).toBe("polled\n");
    expect((await tidegate(["--config", file, "explain", "polled"], env)).stdout).toMatch(/^polled: on/);
  });

  it("names the cause if a polled source has no result", async () => {
    const file = join(folder, "unpolled.yaml");
    writeFileSync(file, 'sources: [{ name: flags, kind: flagd, url: "http://127.0.0.1:1" }]\n');
    const { code, stderr } = await tidegate(["--config", file, "evaluate"], env);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^tidegate: Source "flags" is unavailable.*\n {2}cause: 127\.0\.0\.1 .*ECONNREFUSED\n/),
    ]);
  });

  it("changes and lists sets by key", async () => {
    const run = (...args: string[]) => tidegate(["sets", ...args], env);
    expect((await run("add", "tidegate:killed", "a", "b")).stdout).toBe("tidegate:killed: 2 of 2 added\n");
    expect((await run("add", "tidegate:killed", "b", "c")).stdout).toBe("tidegate:killed: 1 of 2 added\n");
    expect((await run("remove", "tidegate:killed", "a", "x")).stdout).toBe("tidegate:killed: 1 of 2 removed\n");
    expect((await run("list", "tidegate:killed")).stdout).toBe("b\nc\n");
    const refused = await run("add", "globl_features", "x");
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/^tidegate: No source reads the set "globl_features".*The sources are: global, active/),
    ]);
  });

  it("adds and removes every served key", async () => {
    const keys = ["_beta", "new checkout", "🎉", "(beta)", "a,b", "x".repeat(201), "__proto__", "..", "a\\b", "-x"];
    const run = (...args: string[]) => tidegate(["sets", ...args, "--", "tidegate:killed", ...keys], env);
    expect((await run("add")).stdout).toBe(`tidegate:killed: ${keys.length} of ${keys.length} added\n`);
    expect((await tidegate(["explain", "--", ...keys], env)).stdout.match(/: off: /g)).toHaveLength(keys.length);
    expect((await run("remove")).stdout).toBe(`tidegate:killed: ${keys.length} of ${keys.length} removed\n`);
    const lines = [{ tidegate: 1 }, { set: "tidegate:killed", features: keys }, { catalogue: "_beta" }];
    const file = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    expect(await tidegate(["import", "-"], env, file)).toMatchObject({ code: 0, stderr: "" });
    expect((await run("remove")).stdout).toBe(`tidegate:killed: ${keys.length} of ${keys.length} removed\n`);
  });

  it("adds, moves and removes tokens, and never prints one", async () => {
    const run = (input: string, ...args: string[]) => tidegate(["tokens", ...args], env, input);
    expect((await run("s3cret\n", "add", "--user", "7")).stdout).toBe("token added for user 7\n");
    expect((await run("s3cret\n", "add", "--user", "8")).stdout).toBe("token moved from user 7 to user 8\n");
    expect((await run("s3cret\n", "remove")).stdout).toBe("token removed from user 8\n");
    expect((await run("s3cret\n", "remove")).stdout).toBe("unknown token\n");
    const refused = await run("s3cret\ts3cret\n", "add", "--user", "7");
    expect(refused.code).toBe(1);
    expect(refused.stderr).not.toContain("s3cret");
    expect((await run("", "add")).stderr).toContain("required option '--user <ID>' not specified");
  });

  it("adds, lists and revokes credentials, and prints a secret once", async () => {
    const run = (...args: string[]) => tidegate(["credentials", ...args], env);
    const added = await run("add", "alice", "--scope", "editor", "--email", "alice@example.org");
    expect(added).toEqual({ code: 0, stdout: expect.stringMatching(/^tgc_[A-Za-z0-9_-]{43}\n$/), stderr: "" });
    await run("add", "bob.long-name", "--scope", "viewer");
    const time = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`;
    const { stdout } = await run("list");
    expect(stdout).toMatch(
      new RegExp(
        `^alice          editor  alice@example.org  ${time}\nbob.long-name  viewer  -                  ${time}\n$`,
      ),
    );
    expect(stdout).not.toContain(added.stdout.trim());
    const again = await run("add", "alice", "--scope", "admin");
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("The credential alice exists")]);
    expect((await run("add", "carol")).stderr).toContain("required option '--scope <SCOPE>' not specified");
    expect((await run("add", "carol", "--scope", "root")).stderr).toContain(
      "Allowed choices are recorder, evaluator, frontend, viewer, editor, admin",
    );
    expect((await run("revoke", "alice")).stdout).toBe("alice: revoked\n");
    expect((await run("revoke", "alice")).stderr).toContain('Unknown credential "alice"');
    expect((await run("list")).stdout).toMatch(/^bob/);
  });

  it("explains why features are on or off, with the last changes", async () => {
    const explain = (...args: string[]) => tidegate(["explain", ...args], env);
    const set = (...args: string[]) => tidegate(["sets", ...args], env);
    await set("add", "features:user:9", "mine", "held");
    await set("add", "active_features", "mine");
    // The command relays records to the log for a limited time only.
    await until(
      async () => (await explain("mine", "--user", "9")).stdout.includes("active: added"),
      "the change is in the log",
    );
    const { code, stdout, stderr } = await explain("--user", "9", "mine", "held", "none");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.replaceAll(/\d{4}-[^ ]+Z by cli:[^ \n]+/g, "…")).toBe(
      [
        'held: off: grant "user" (features:user:9), but gate "active" denies it',
        "  user: added …",
        'mine: on: grant "user" (features:user:9), gate "active" allows it',
        "  user: added …",
        "  active: added …",
        "none: off: no source grants it",
        "",
      ].join("\n"),
    );
    const past = await explain("--user", "9", "--at", "2020-01-01T00:00:00Z", "mine");
    expect(past.stdout).toBe("mine: undetermined: no history at that time for global, user, active and killed\n");
    expect(past.stderr).toContain("sets and rules of that time from the event log, with the current configuration\n");
    expect(past.stderr).toMatch(/incomplete: no history for active before \d{4}-/);
  });

  it.each([
    [["--at", "yesterday"], "", 2, /^tidegate: invalid --at yesterday \(expected RFC 3339/],
    [["--user", "1", "--token"], "1234\n", 2, /^tidegate: --user and --token exclude each other/],
    [["--user", ""], "", 2, /^tidegate: empty user id/],
    [["--attribute", "plan"], "", 2, /^tidegate: invalid --attribute plan/],
    [["--token"], "canary\n", 1, /^tidegate: Unknown token/],
  ])("rejects explain %j", async (args, input, exitCode, message) => {
    const { code, stderr } = await tidegate(["explain", ...args], env, input);
    expect([code, stderr]).toEqual([exitCode, expect.stringMatching(message)]);
    expect(stderr).not.toContain("canary");
  });

  it("validates a configuration", async () => {
    expect(await tidegate(["validate"], env)).toEqual({
      code: 0,
      stdout: "config/embedded.yaml is valid: sources global, active, killed, user; connections users, features\n",
      stderr: "",
    });
    const broken = await tidegate(["validate", "test/broken/unknown-kind.yaml"], env);
    expect([broken.code, broken.stderr]).toEqual([
      78,
      expect.stringContaining('3:11 sources[0].kind: unknown kind "statik"'),
    ]);
  });

  it("lists the kinds of source", async () => {
    const { stdout } = await tidegate(["sources", "kinds"], env);
    expect(
      stdout
        .split("\n")
        .slice(0, -1)
        .map((line) => line.split(" ")[0]),
    ).toEqual(kinds);
  });

  it("names an unreachable store", async () => {
    const file = join(folder, "away.yaml");
    writeFileSync(
      file,
      "connections: { features: { kind: redis, url: 'redis://127.0.0.1:1' } }\nsources: [{ name: a, kind: set, connection: features, key: a }]\n",
    );
    const { code, stderr } = await tidegate(["--config", file, "sets", "list", "a"], env);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /^tidegate: connection "features" cannot use Redis: .*ECONNREFUSED.*; start the server, or fix the url\n/,
      ),
    ]);
  });

  it("works while a store that it does not need is unreachable", async () => {
    const file = join(folder, "half.yaml");
    writeFileSync(
      file,
      `connections:
  users: { kind: redis, url: "redis://127.0.0.1:1" }
  features: { kind: sqlite, file: "${join(folder, "half.db")}" }
tokens: { connection: users }
sources: [{ name: killed, kind: set, connection: features, key: "tidegate:killed", role: veto }]
`,
    );
    const own = { ...env, TIDEGATE_DATA: join(folder, "half") };
    const killed = await tidegate(["--config", file, "sets", "add", "tidegate:killed", "x"], own);
    expect([killed.code, killed.stdout]).toEqual([0, "tidegate:killed: 1 of 1 added\n"]);
    const refused = await tidegate(["--config", file, "tokens", "add", "--user", "1"], own, "1234");
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('connection "users" cannot use Redis')]);
  });

  it.each([
    [],
    ...commandNames.map((name) => [name]),
    ["features", "kill"],
    ["sets", "add"],
    ["tokens", "remove"],
    ["credentials", "add"],
    ["sources", "new"],
  ])("prints help: tidegate %s %s --help", async (...command) => {
    const { code, stdout } = await tidegate([...command, "--help"], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: tidegate/);
  });

  it.each([{}, { TIDEGATE_CONFIG: "test/broken/unknown-kind.yaml" }])(
    "names the configuration in use in its help (%j)",
    async (variables) => {
      const { stdout } = await tidegate(["--help"], { ...env, ...variables });
      const file = variables.TIDEGATE_CONFIG ?? "config/embedded.yaml";
      expect(stdout).toContain(`\nConfiguration in use: ${file}\n`);
    },
  );

  it("runs several commands at once, each with its own environment and output", async () => {
    const folders = Array.from({ length: 8 }, (_, index) => ({ TIDEGATE_DATA: join(folder, `concurrent-${index}`) }));
    const add = folders.map((each, index) => tidegate(["sets", "add", "global_features", `feature_${index}`], each));
    expect((await Promise.all(add)).every(({ code }) => code === 0)).toBe(true);
    const outputs = await Promise.all(
      folders.flatMap((each) => [
        tidegate(["evaluate"], each),
        tidegate(["validate", "test/broken/not-yaml.yaml"], each),
      ]),
    );
    expect(outputs.map(({ code, stdout }) => [code, stdout])).toEqual(
      folders.flatMap((_, index) => [
        [0, `feature_${index}\n`],
        [78, ""],
      ]),
    );
  });

  it("leaves no listener and no exit code in the process", async () => {
    const listeners = () => process.eventNames().map((name) => [name, process.listenerCount(name)]);
    const before = [listeners(), process.exitCode];
    await tidegate(["validate", "test/broken/unknown-kind.yaml"], env);
    await tidegate(["explain"], env);
    expect([listeners(), process.exitCode]).toEqual(before);
  });

  it("rejects an unknown command with exit code 2", async () => {
    const { code, stderr } = await tidegate(["featurse"], env);
    expect([code, stderr]).toEqual([2, expect.stringContaining("unknown command 'featurse'")]);
  });
});
