import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Writable } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Progress } from "../../../../src/adapters/cli/progress.ts";
import type { ChangeRecord } from "../../../../src/domain/admin/change.ts";
import type { Connection } from "../../../../src/infrastructure/connection.ts";
import { createLog } from "../../../../src/infrastructure/logger.ts";
import { connectRedis } from "../../../../src/infrastructure/redis/redis-connection.ts";
import { openSqlite } from "../../../../src/infrastructure/sqlite/sqlite-connection.ts";
import { hashedTokenKey, plainTokenKey, type TokenKeyDerivation } from "../../../../src/infrastructure/token-key.ts";
import { TestProcess } from "../../../support/process.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";
import { TcpProxy } from "../../../support/tcp-proxy.ts";
import { tidegate } from "../../../support/tidegate.ts";
import { until } from "../../../support/until.ts";

const pepper = "a pepper of the tests";

/** Empty stores of one kind, with the environment variables for the command line. */
type Stores = {
  readonly env: NodeJS.ProcessEnv;
  /** Opened anew each time, as in another process. */
  readonly open: () => Connection;
  readonly keyOf: TokenKeyDerivation;
  /** Whether the store has more than this number of batches of an import. */
  readonly hasLoaded: (batches: number) => Promise<boolean>;
};

/** All change records, in order. The outbox is empty afterwards. */
async function taken(connection: Connection): Promise<readonly ChangeRecord[]> {
  await using outbox = connection.outbox();
  const all: ChangeRecord[] = [];
  for (let entries = await outbox.read(500); entries.length > 0; entries = await outbox.read(500)) {
    all.push(...entries.flatMap(({ records = [] }) => records));
    await outbox.remove(entries);
  }
  return all;
}

const line = (value: unknown) => `${JSON.stringify(value)}\n`;
const file = (...values: readonly unknown[]) => [{ tidegate: 1 }, ...values].map(line).join("");
const userLines = (count: number) =>
  Array.from({ length: count }, (_, user) => [
    { set: `features:user:${user}`, features: [`feature_${user % 7}`, "feature_x"] },
    { token: `token-${user}`, user: `${user}` },
  ]).flat();

describe("import and export", () => {
  let folder: string;
  let server: RedisServer;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-import-"));
    server = await startRedis();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => server.client.flushall());

  const written = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  const onRedis = (): Stores => ({
    env: {
      REDIS_USERS_URL: server.url,
      REDIS_FEATURES_URL: server.url,
      TIDEGATE_DATA: mkdtempSync(join(folder, "redis-")),
    },
    open: () => connectRedis("features", server.url, createLog("silent"), { commandTimeoutMs: 5_000 }),
    keyOf: plainTokenKey(),
    hasLoaded: async (batches) => (await server.client.keys("tidegate:outbox:load:*")).length > batches,
  });

  const onSqlite = (): Stores => {
    const data = mkdtempSync(join(folder, "sqlite-"));
    return {
      env: { TIDEGATE_DATA: data, TIDEGATE_TOKEN_PEPPER: pepper },
      open: () => openSqlite("features", join(data, "tidegate.db")),
      keyOf: hashedTokenKey(pepper),
      hasLoaded: async (batches) => {
        const path = join(data, "tidegate.db");
        if (!existsSync(path)) return false;
        using database = new DatabaseSync(path, { timeout: 5_000 });
        if (!database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'loads'").get()) return false;
        // A batch has 250 records.
        return Number(database.prepare("SELECT count(*) AS records FROM outbox").get()?.["records"]) > 250 * batches;
      },
    };
  };

  const setIn = async (connection: Connection, key: string) =>
    (await connection.sets.read(key, 10_000)).value.features.toSorted();

  describe.each([
    ["Redis", onRedis],
    ["SQLite", onSqlite],
  ])("on %s", (_, stores) => {
    it("resumes after a kill, and loads and records everything once", async () => {
      const { env, open, keyOf, hasLoaded } = stores();
      const users = 10_000;
      const path = written("many.ndjson", file(...userLines(users)));
      const killed = new TestProcess(["src/cli.ts", "import", path], env);
      await until(async () => killed.ended || (await hasLoaded(8)), "it is under way", 60_000);
      killed.signal("SIGKILL");
      expect(await killed.exit()).toBe(-1);
      const { code, stdout } = await tidegate(["import", path], env);
      expect([code, stdout]).toEqual([
        0,
        expect.stringMatching(/^imported: sets 10,000, tokens 10,000, .*\nimported before: [\d,]+ of them/),
      ]);
      await using connection = open();
      await connection.connected();
      const records = await taken(connection);
      const sets = records.flatMap((record) => (record.of === "set" ? [record.key] : []));
      const tokens = records.flatMap((record) => (record.of === "token" ? [record.userId] : []));
      expect([sets.length, new Set(sets).size]).toEqual([users, users]);
      expect([tokens.length, new Set(tokens).size]).toEqual([users, users]);
      expect(new Set(records.map(({ id }) => id)).size).toBe(2 * users);
      expect(records[0]).toMatchObject({ by: expect.stringMatching(/^cli:/), note: "import of many.ndjson" });
      for (const user of [0, 1, 250, users - 1]) {
        expect(await setIn(connection, `features:user:${user}`)).toEqual([`feature_${user % 7}`, "feature_x"]);
        expect((await connection.tokenResolver(keyOf).resolve(`token-${user}`)).value).toBe(`${user}`);
      }
      const { keys, complete } = await connection.index.keys("features:user:", users + 1);
      expect([keys.length, complete]).toEqual([users, true]);
    });

    it("does nothing the second time, and imports again with --again", async () => {
      const { env, open } = stores();
      const path = written(
        "again.ndjson",
        file({ set: "global_features", features: ["a", "b"] }, { token: "t", user: "1" }),
      );
      expect((await tidegate(["import", path], env)).stdout).toMatch(/\nrecords that wait for the event log: 2 /);
      await tidegate(["sets", "remove", "global_features", "a"], env);
      const again = await tidegate(["import", path], env);
      expect(again.stdout).toBe(
        "imported: sets 1, tokens 1, descriptions of features 0\nimported before: 2 of them (import them again with --again)\n",
      );
      await using connection = open();
      await connection.connected();
      expect(await setIn(connection, "global_features")).toEqual(["b"]);
      expect((await tidegate(["import", "--again", path], env)).stdout).toMatch(
        /\nrecords that wait for the event log: 1 /,
      );
      expect(await setIn(connection, "global_features")).toEqual(["a", "b"]);
    });

    it("records each item once if two imports run at once", async () => {
      const { env, open, hasLoaded } = stores();
      const path = written("both.ndjson", file(...userLines(2_000)));
      await using elsewhere = new TestProcess(["src/cli.ts", "import", path], env);
      await until(async () => elsewhere.ended || (await hasLoaded(0)), "another process has begun", 60_000);
      expect(await tidegate(["import", path], env)).toMatchObject({ code: 0, stderr: "" });
      expect([await elsewhere.exit(), elsewhere.stderr]).toEqual([0, ""]);
      await using connection = open();
      await connection.connected();
      expect(await taken(connection)).toHaveLength(4_000);
    });

    it("changes nothing if a line is invalid, and lists all invalid lines", async () => {
      const { env, open } = stores();
      const lines = [
        { set: "global_features", features: ["a"] },
        { set: "globl_features", features: ["a"] },
        { set: "active_features", features: ["a", "\u0007"] },
        { token: "s3cret\u0007", user: "1" },
        { token: "fine", user: "" },
        { token: "fine", user: "1", more: true },
        { set: "global_features", features: ["a", "a"] },
        { catalogue: "", description: "x" },
        { nothing: 1 },
      ];
      const path = written("broken.ndjson", `${file(...lines)}{\n\n"x"\n`);
      const { code, stdout, stderr } = await tidegate(["import", path], env);
      expect([code, stdout]).toEqual([1, ""]);
      const [title, ...faults] = stderr.trimEnd().split("\n");
      expect(title).toBe("tidegate: broken.ndjson cannot be imported; nothing was changed:");
      expect(faults.slice(0, -1).map((fault) => /^ {2}line (\d+): .*\.$/.exec(fault)?.[1])).toEqual([
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "9",
        "10",
        "11",
        "13",
      ]);
      expect(stderr).not.toContain("s3cret");
      await using connection = open();
      await connection.connected();
      expect([await setIn(connection, "global_features"), await taken(connection)]).toEqual([[], []]);
    });

    it.each([
      ["empty", "", /missing header \(expected \{"tidegate":1\}/],
      ["something else", '{"a":1}\n{"b":2}\n', /line 1: missing header/],
      ["of a later version", '{"tidegate":2}\n', /line 1: /],
      [
        "wrong on a thousand lines",
        file(...Array(1_000).fill({ set: "x", features: [] })),
        /line 21: .*\n {2}there may be more\n/,
      ],
      [
        "no UTF-8",
        Buffer.from('{"tidegate":1}\n{"set":"\xff"}\n', "latin1"),
        /line 2: longer than 16 MiB or not UTF-8/,
      ],
    ])("rejects a file that is %s", async (_, text, fault) => {
      const path = join(folder, "odd.ndjson");
      writeFileSync(path, text);
      const { code, stderr } = await tidegate(["import", path], stores().env);
      expect([code, stderr]).toEqual([1, expect.stringMatching(fault)]);
    });
  });

  it("continues when an unreachable store returns", async () => {
    await using proxy = await TcpProxy.to(server.port);
    const { env } = onRedis();
    const url = `redis://127.0.0.1:${proxy.port}`;
    const path = written("away.ndjson", file(...userLines(10_000)));
    let ended = false;
    const importing = tidegate(["import", path], { ...env, REDIS_USERS_URL: url, REDIS_FEATURES_URL: url });
    const imported = importing.finally(() => {
      ended = true;
    });
    const batches = async () => (await server.client.keys("tidegate:outbox:load:*")).length;
    await until(async () => ended || (await batches()) > 8, "it is under way");
    proxy.cut();
    const before = await batches();
    await until(
      async () => (await server.client.info("clients")).includes("connected_clients:1"),
      "nobody is connected",
    );
    expect(before).toBeLessThan(80);
    proxy.heal();
    expect(await imported).toMatchObject({ code: 0, stderr: expect.not.stringContaining("tidegate:") });
    await using connection = connectRedis("features", server.url, createLog("silent"));
    await connection.connected();
    expect(await taken(connection)).toHaveLength(20_000);
  });

  it("restores an export in another store: sets, hashed tokens and descriptions", async () => {
    const from = onSqlite();
    const lines = [
      { set: "global_features", features: ["one", "two ☂"] },
      { set: "tidegate:killed", features: ["x"] },
      { set: "features:user:S%C3%A3o%20%7B1%7D".replace("%C3%A3", "ã"), features: ["one"] },
      ...userLines(1_500),
      {
        catalogue: "one",
        description: "The ☂",
        owner: "shop",
        tags: ["web", "a"],
        archived: true,
        created: "2026-01-02T03:04:05.678Z",
      },
      { catalogue: "two" },
    ];
    expect(await tidegate(["import", "-"], from.env, file(...lines))).toMatchObject({ code: 0, stderr: "" });
    const output = join(folder, "export.ndjson");
    const exported = await tidegate(["export", "--output", output], from.env);
    expect(exported).toEqual({
      code: 0,
      stdout: "",
      stderr:
        "exported 3,005 lines: 1,503 sets (global 1, active 0, killed 1, user 1,501), 2 descriptions, 1,500 tokens\n",
    });
    expect(statSync(output).mode & 0o777).toBe(0o600);
    const text = readFileSync(output, "utf8");
    expect(text.split("\n")[0]).toMatch(/^\{"tidegate":1,"pepper":"[\w-]{4}"\}$/);
    expect(text).not.toContain("token-1");
    const to = onSqlite();
    expect(await tidegate(["import", output], to.env)).toMatchObject({ code: 0, stderr: "" });
    const sorted = (lines: string) => lines.trimEnd().split("\n").sort();
    expect(sorted((await tidegate(["export"], to.env)).stdout)).toEqual(sorted(text));
    expect((await tidegate(["evaluate", "--token"], to.env, "token-7\n")).stdout).toBe("one\ntwo ☂\n");
    const logged = async () => (await tidegate(["events", "list", "--key", "features:user:7"], to.env)).stdout;
    // A command waits a limited time for its records to reach the log.
    await until(async () => (await logged()) !== "", "the import is in the log");
    expect(await logged()).toMatch(/cli:\S+ {2}\S+ {2}features:user:7: feature_0, feature_x added\n$/);
    const other = { ...onSqlite().env, TIDEGATE_TOKEN_PEPPER: "another pepper of the tests" };
    expect((await tidegate(["import", output], other)).stderr).toMatch(
      /line 1: The token digests were made with another pepper/,
    );
    const plain = await tidegate(["import", output], onRedis().env);
    expect(plain.stderr).toMatch(/line \d+: token digests need hashed tokens/);
  });

  it("warns only about sets that no source reads", async () => {
    const { env } = onRedis();
    await tidegate(["import", "-"], env, file({ set: "features:user:1", features: ["a"] }));
    const { client } = server;
    for (let index = 0; index < 7; index++) await client.sadd(`old:${index}`, "a");
    await client.set("elsewhere", "a string");
    const { code, stdout, stderr } = await tidegate(["export"], env);
    expect([code, stdout]).toEqual([0, '{"tidegate":1}\n{"set":"features:user:1","features":["a"]}\n']);
    expect(stderr).toContain(
      'warning: no source reads these sets of connection features, so they were not exported: "old:0", "old:1", "old:2", "old:3", "old:4" and 2 more; add a source for them\n',
    );
  });

  it("exports no plain tokens, with a note", async () => {
    const { env } = onRedis();
    await tidegate(
      ["import", "-"],
      env,
      file({ token: "s3cret", user: "1" }, { set: "global_features", features: ["a"] }),
    );
    const { stdout, stderr } = await tidegate(["export"], env);
    expect(stdout).toBe('{"tidegate":1}\n{"set":"global_features","features":["a"]}\n');
    expect(stderr).toMatch(
      /^exported 1 lines: 1 sets \(global 1, .*\), 0 descriptions\ntokens were not exported: the layout plain stores them as they are/,
    );
  });

  it("leaves no incomplete file", async () => {
    const output = join(folder, "no such folder", "export.ndjson");
    const { code, stderr } = await tidegate(["export", "--output", output], onSqlite().env);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/export\.ndjson cannot be written: ENOENT.*; name another file\n/),
    ]);
  });

  describe("from another Redis", () => {
    const fill = async () => {
      const { client } = server;
      await client.select(5);
      await client.sadd("global_features", "one", Buffer.from([0xff, 0xfe]));
      await client.sadd("active_features", "two", "three");
      await client.sadd("features:user:1", "two");
      await client.sadd("features:user:José María:7", "three");
      await client.sadd("something:else", "x");
      await client.set("token:1234", "1");
      await client.set("features:user:text", "no set");
      await client.select(6);
      await client.set("token:abc", "José María:7");
      await client.select(0);
    };

    it("imports the sets and tokens under the keys of the seed", async () => {
      await fill();
      const { env, open, keyOf } = onSqlite();
      const { code, stdout, stderr } = await tidegate(["import", "--from-redis", `${server.url}/5`], env);
      expect([code, stdout, stderr]).toEqual([
        0,
        expect.stringMatching(/^imported: sets 4, tokens 1, /),
        "omitted set members that are not valid feature keys: 1\n",
      ]);
      const urls = { IMPORT_REDIS_URL: `${server.url}/5`, IMPORT_TOKENS_REDIS_URL: `${server.url}/6` };
      expect((await tidegate(["import", "--from-redis"], { ...env, ...urls })).stdout).toMatch(
        /\nrecords that wait for the event log: 1 /,
      );
      await using connection = open();
      expect(await setIn(connection, "global_features")).toEqual(["one"]);
      expect(await setIn(connection, "active_features")).toEqual(["three", "two"]);
      expect(await setIn(connection, "features:user:José%20María%3A7")).toEqual(["three"]);
      const resolver = connection.tokenResolver(keyOf);
      expect([(await resolver.resolve("1234")).value, (await resolver.resolve("abc")).value]).toEqual([
        "1",
        "José María:7",
      ]);
      const records = await taken(connection);
      expect(records).toHaveLength(6);
      expect(records[0]?.note).toBe("import of Redis");
      expect((await tidegate(["evaluate", "--token"], env, "abc\n")).stdout).toBe("one\nthree\n");
    });

    it("imports tokens outside the Bearer grammar, and reports those that cannot be used", async () => {
      const odd = ["ab:cd", "1$2", "tü"];
      await fill();
      await server.client.select(5);
      await server.client.mset(Object.fromEntries(odd.map((token) => [`token:${token}`, "1"])));
      for (const unusable of ["", "s3cret\n", "s3cret".repeat(100), Buffer.from([0xff])]) {
        await server.client.set(Buffer.concat([Buffer.from("token:"), Buffer.from(unusable)]), "1");
      }
      await server.client.select(0);
      const { env, open, keyOf } = onSqlite();
      const { code, stdout, stderr } = await tidegate(["import", "--from-redis", `${server.url}/5`], env);
      expect([code, stdout]).toEqual([0, expect.stringMatching(/, tokens 4, /)]);
      expect(stderr).toMatch(/\nomitted unusable tokens: 4 \(a token has 1 to 512 characters .*\)\n$/);
      expect(stderr).not.toContain("s3cret");
      await using connection = open();
      const resolver = connection.tokenResolver(keyOf);
      for (const token of odd) expect((await resolver.resolve(token)).value).toBe("1");
      const lines = file({ token: "ab:cd", user: "1" }, { token: "s3cret\n", user: "1" });
      const refused = await tidegate(["import", "-"], env, lines);
      expect([refused.code, refused.stderr]).toEqual([
        1,
        expect.stringMatching(/line 3: invalid token \(expected 1 to/),
      ]);
      expect(refused.stderr).not.toContain("s3cret");
    });

    it("names the sets that no source reads, and changes nothing", async () => {
      await fill();
      await server.client.select(5);
      await server.client.sadd("location:madrid", "tapas");
      await server.client.select(0);
      const { code, stderr } = await tidegate(["import", "--from-redis", `${server.url}/5`], onSqlite().env);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/No source reads the set "location:madrid"/)]);
    });

    it("rejects a password in an argument without printing it", async () => {
      const url = server.url.replace("redis://", "redis://:s3cret@");
      for (const args of [
        ["--from-redis", url],
        ["--from-redis", server.url, "--tokens-from", url],
      ]) {
        const { code, stderr } = await tidegate(["import", ...args], onSqlite().env);
        expect([code, stderr]).toEqual([
          2,
          expect.stringMatching(/process lists show a password in an argument \(set IMPORT_\w*REDIS_URL/),
        ]);
        expect(stderr).not.toContain("s3cret");
      }
    });

    it("names an unreachable Redis", async () => {
      const { code, stderr } = await tidegate(["import", "--from-redis", "redis://127.0.0.1:1"], onSqlite().env);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^tidegate: the Redis to import from cannot be read: .*; start it, or fix its URL\n/),
      ]);
    });
  });

  it.each([
    [[], 2, /name a file, or - for standard input, or --from-redis/],
    [["a", "--from-redis", "redis://127.0.0.1:1"], 2, /name a file, or - for standard input, or --from-redis/],
    [["/nowhere.ndjson"], 1, /\/nowhere\.ndjson cannot be read: ENOENT/],
    [["."], 1, /\. cannot be read: EISDIR/],
  ])("rejects import %j and states the fix", async (args, exitCode, fault) => {
    const { code, stderr } = await tidegate(["import", ...args], onSqlite().env);
    expect([code, stderr]).toEqual([exitCode, expect.stringMatching(fault)]);
  });
});

describe("the progress of a task", () => {
  const shown = (isTTY: boolean, afterMs: number) => {
    let text = "";
    let now = 0;
    const write = (part: string) => {
      text += part;
      return true;
    };
    const stream = Object.assign(new Writable(), { isTTY, write });
    const progress = new Progress(stream, () => now);
    for (now of [afterMs - 1, afterMs]) progress.report("importing lines", 1_234_567, 2_469_134);
    progress.end();
    return text;
  };

  it("is a bar on a terminal, erased at the end", () => {
    expect(shown(true, 100)).toBe(
      `\r\x1b[Kimporting lines [${"#".repeat(15)}${".".repeat(15)}] 1,234,567 of 2,469,134\r\x1b[K`,
    );
  });

  it("is a line every 5 s elsewhere", () => {
    expect(shown(false, 5_000)).toBe("importing lines: 1,234,567 of 2,469,134\n");
  });
});
