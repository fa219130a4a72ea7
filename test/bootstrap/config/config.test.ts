import { globSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { kinds } from "../../../src/adapters/sources/_catalogue/source-catalogue.ts";
import { loadConfig } from "../../../src/bootstrap/config/config.ts";
import { defaultFile } from "../../../src/bootstrap/config/default-file.ts";
import { ConfigError } from "../../../src/infrastructure/config-error.ts";

const broken = relative(process.cwd(), resolve(import.meta.dirname, "../../broken"));

async function messageOf(file: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const error = await loadConfig(file, env).then(
    () => new Error("it was accepted"),
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).message;
}

function write(yaml: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "tidegate-config-")), "tidegate.yaml");
  writeFileSync(file, yaml);
  return file;
}

const plain = "sources: [{ name: a, kind: static, features: { x: true } }]\n";

describe("the names of stores", () => {
  const source = (connection: string) =>
    `  - { name: of_${connection}, kind: set, connection: ${connection}, key: ${connection} }\n`;

  it("are shared by all connections to a store, after the first connection that a source uses", async () => {
    const yaml = `connections:
  tokens: { kind: redis, url: "redis://a" }
  features: { kind: redis, url: "redis://a" }
  more: { kind: redis, url: "redis://a" }
  other: { kind: redis, url: "redis://a/1" }
  one: { kind: sqlite, file: ":memory:" }
  another: { kind: sqlite, file: ":memory:" }
sources:
${source("features")}${source("more")}`;
    expect([...(await loadConfig(write(yaml), {})).stores]).toEqual([
      ["tokens", "features"],
      ["features", "features"],
      ["more", "features"],
      ["other", "other"],
      ["one", "one"],
      ["another", "another"],
    ]);
  });
});

describe("a broken configuration", () => {
  it.each(globSync("*.yaml", { cwd: broken }).sort())("reports all faults of %s, with place and fix", async (file) => {
    const folder = resolve(import.meta.dirname, "../../support/kinds");
    const notified = await messageOf(join(broken, file), { TIDEGATE_SOURCE_FOLDERS: folder });
    // The list of kinds does not matter here.
    const message = notified.replaceAll(kinds.join(", "), "KINDS");
    await expect(`${message}\n`).toMatchFileSnapshot(join("../../broken", file.replace(".yaml", ".txt")));
    for (const line of message.split("\n").slice(1)) expect(line).toMatch(/^ {2}\S+:\d+:\d+( \S+)?: .+/);
  });

  it("reports an unreadable file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-config-"));
    mkdirSync(join(folder, "folder.yaml"));
    writeFileSync(join(folder, "huge.yaml"), "#".repeat(300_000));
    expect(await messageOf(join(folder, "none.yaml"))).toMatch(
      /none\.yaml: cannot be read: ENOENT.* \(expected a YAML file of at most 256 KiB\)/,
    );
    expect(await messageOf(join(folder, "folder.yaml"))).toMatch(/cannot be read: is a folder \(/);
    expect(await messageOf("/dev/null")).toMatch(/cannot be read: is not a regular file \(/);
    expect(await messageOf(join(folder, "huge.yaml"))).toMatch(/cannot be read: is larger than 256 KiB \(/);
  });

  it.each([
    ["PORT", "many", /environment PORT: "many" is invalid \(expected a number from 0 to 65535\)/],
    ["PORT", "65536", /environment PORT: "65536" is invalid/],
    ["WEB_CONCURRENCY", "-1", /environment WEB_CONCURRENCY: "-1" is invalid \(expected a number of processes/],
    ["LOG_LEVEL", "loud", /environment LOG_LEVEL: "loud" is invalid \(expected one of trace, debug/],
    [
      "DATABASE_URL",
      "mysql://me:s3cret@x/y",
      /environment DATABASE_URL: invalid PostgreSQL URL \(expected postgres:\/\/user/,
    ],
    ["DATABASE_URL", "postgres://me:s3cret@x:y/z", /environment DATABASE_URL: invalid PostgreSQL URL \(expected/],
  ])("may be the environment: %s=%s", async (variable, value, fault) => {
    const message = await messageOf(write(plain), { [variable]: value });
    expect(message).toMatch(fault);
    expect(message).not.toContain("s3cret");
  });
});

describe("a configuration", () => {
  it.each([
    ["basePath: api", "invalid base path"],
    ["basePath: /api/", "invalid base path"],
    ["basePath: /../api", "invalid base path"],
    ["basePath: /a b", "invalid base path"],
    ["timeZone: Mars/Olympus", "invalid time zone"],
  ])("rejects server: { %s }", async (option, fault) => {
    await expect(loadConfig(write(`server: { ${option} }\n${plain}`), {})).rejects.toThrow(fault);
  });

  it("can consist of one source", async () => {
    const { server, log, connections, tokens, sources } = await loadConfig(write(plain), {});
    expect(server).toEqual({
      host: "127.0.0.1",
      port: 5000,
      backoffice: true,
      workers: 1,
      basePath: "",
      timeZone: expect.any(Function),
      drainMs: 500,
      proxy: [],
      streams: { perCaller: 10, perAddress: 1_000, perProcess: 10_000 },
    });
    expect(log).toEqual({ level: "info", requests: false });
    expect([connections, tokens]).toEqual([{}, undefined]);
    expect(sources).toEqual([
      {
        name: "a",
        kind: "static",
        role: "grant",
        gatedBy: [],
        default: "deny",
        onFailure: "fail",
        timeoutMs: 250,
        isReplayable: true,
        isOutside: false,
        create: expect.any(Function),
      },
    ]);
  });

  it("is overridden by the environment", async () => {
    const file = write(`server: { port: 1, host: 10.0.0.1, workers: 2 }\nlog: { level: error }\n${plain}`);
    const env = { PORT: "8080", HOST: "0.0.0.0", WEB_CONCURRENCY: "auto", LOG_LEVEL: "debug" };
    const { server, log } = await loadConfig(file, env);
    expect([server.port, server.host, server.workers, log.level]).toEqual([8080, "0.0.0.0", "auto", "debug"]);
    const empty = await loadConfig(file, { PORT: "", HOST: "", WEB_CONCURRENCY: "", LOG_LEVEL: "" });
    expect([empty.server.port, empty.server.host, empty.server.workers, empty.log.level]).toEqual([
      1,
      "10.0.0.1",
      2,
      "error",
    ]);
  });

  it("replaces variables by values and nested defaults, but not in comments", async () => {
    const yaml = `
# \${NOT_SET}
server: { host: "\${NOT_SET:-}10.0.0.\${LAST:-1}", port: "\${NOT_SET:-\${THE_PORT:-7000}}" }
sources: [{ name: a, kind: static, features: { "\${NAME}": true } }]
`;
    const { server } = await loadConfig(write(yaml), { LAST: "9", NAME: "x" });
    expect([server.host, server.port]).toEqual(["10.0.0.9", 7000]);
  });

  it("treats an empty value as omitted", async () => {
    const { server } = await loadConfig(write(`server:\n  port:\nlog:\n${plain}`), {});
    expect(server.port).toBe(5000);
  });

  it.each(["config/tidegate.yaml", "config/embedded.yaml"])("of Tidegate itself is valid: %s", async (file) => {
    const env = { REDIS_USERS_URL: "redis://127.0.0.1:6379/1", REDIS_FEATURES_URL: "redis://127.0.0.1:6379/1" };
    const { sources } = await loadConfig(file, env);
    expect(sources.map(({ name, role, gatedBy }) => [name, role, gatedBy])).toEqual([
      ["global", "grant", []],
      ["active", "gate", []],
      ["killed", "veto", []],
      ["user", "grant", ["active"]],
    ]);
  });

  it.each(["plain", "hashed"])("rejects a pepper that can be guessed, for %s tokens", async (layout) => {
    const file = write(
      `connections: { users: { kind: sqlite, file: ":memory:" } }\ntokens: { connection: users, layout: ${layout} }\n${plain}`,
    );
    const fault = /tokens.layout: TIDEGATE_TOKEN_PEPPER has less than 16 characters \(set a longer one\)/;
    expect(await messageOf(file, { TIDEGATE_TOKEN_PEPPER: "short" })).toMatch(fault);
  });

  it("has the event log in the data folder, at its connection, or where the environment sets it", async () => {
    const file = write(
      `connections: { events: { kind: sqlite, file: mine.db }, a: { kind: sqlite, file: a.db } }\n${plain}`,
    );
    const own = await loadConfig(file, {});
    expect(own.eventLog).toEqual({ kind: "sqlite", file: "mine.db" });
    expect(Object.keys(own.connections)).toEqual(["a"]);
    expect((await loadConfig(write(plain), { TIDEGATE_DATA: "/data" })).eventLog).toEqual({
      kind: "sqlite",
      file: "/data/events.db",
      formerFile: "/data/activity.db",
    });
    const url = "postgres://me:s3cret@127.0.0.1/log";
    expect((await loadConfig(file, { DATABASE_URL: url })).eventLog).toEqual({ kind: "postgres", url });
    expect((await loadConfig(file, { DATABASE_URL: "" })).eventLog).toEqual(own.eventLog);
  });

  it("is selected by the environment", () => {
    expect(defaultFile({})).toBe("config/embedded.yaml");
    expect(defaultFile({ REDIS_FEATURES_URL: "redis://x" })).toBe("config/tidegate.yaml");
    expect(defaultFile({ REDIS_FEATURES_URL: "redis://x", TIDEGATE_CONFIG: "mine.yaml" })).toBe("mine.yaml");
  });
});
