import { randomUUID } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";

/** An empty database on the PostgreSQL server of the test run. */
export type TestDatabase = {
  readonly url: string;
  /** The port of the server, for a proxy. */
  readonly port: number;
};

/** Creates a database; `options` are those of `CREATE DATABASE`. */
export async function createDatabase(options = ""): Promise<TestDatabase> {
  const server = inject("postgresUrl");
  const name = `tidegate_${randomUUID().replaceAll("-", "")}`;
  await queryDatabase(server, `CREATE DATABASE ${name} ${options}`);
  const url = Object.assign(new URL(server), { pathname: `/${name}` });
  return { url: url.href, port: Number(url.port) };
}

/** Runs statements in a database. */
export async function queryDatabase(url: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return await client.query(sql);
  } finally {
    await client.end();
  }
}
