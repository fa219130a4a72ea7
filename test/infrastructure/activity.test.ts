import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe } from "vitest";
import { type Activity, openActivity } from "../../src/infrastructure/activity/activity.ts";
import type { Place } from "../../src/infrastructure/activity/database.ts";
import { activityLogContract } from "../contracts/activity-log.contract.ts";
import { startPostgres } from "../support/postgres.ts";

/** A database to keep logs in. */
type Databases = AsyncDisposable & {
  /** Where another log may be kept. */
  readonly place: () => Promise<Place>;
  /** Runs a statement behind the log's back. */
  readonly tamper: (place: Place, sql: string) => Promise<unknown>;
};

async function sqliteFiles(): Promise<Databases> {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-activity-"));
  let count = 0;
  return {
    place: async () => {
      count += 1;
      return { kind: "sqlite", file: join(folder, `deep/${count}.db`) };
    },
    tamper: async (place, sql) => {
      using database = new DatabaseSync(place.kind === "sqlite" ? place.file : "");
      database.exec(sql);
    },
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
  };
}

async function postgresDatabases(): Promise<Databases> {
  const server = await startPostgres();
  return {
    place: async () => ({ kind: "postgres", url: await server.createDatabase() }),
    tamper: (place, sql) => server.query(sql, place.kind === "postgres" ? place.url : ""),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describe.each([
  ["SQLite", sqliteFiles],
  ["PostgreSQL", postgresDatabases],
])("%s", (_, start) => {
  const opened = new AsyncDisposableStack();
  let databases: Databases;
  let shared: Activity;
  beforeAll(async () => {
    databases = opened.use(await start());
    shared = opened.use(openActivity(await databases.place()));
  });
  afterAll(() => opened.disposeAsync());

  const openEmpty = async () => opened.use(openActivity(await databases.place()));

  activityLogContract(
    () => shared.log,
    async () => (await openEmpty()).log,
  );
});
