import { PostgreSqlContainer } from "@testcontainers/postgresql";
import pg from "pg";
import { inject } from "vitest";
import { startPostgresProcess } from "./postgres-process.ts";
import { until } from "./until.ts";

/** A private PostgreSQL server, with an empty database. */
export type PostgresServer = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  /** Makes another empty database; answers its URL. */
  readonly createDatabase: () => Promise<string>;
  /** Runs statements in the database of a URL, or in the first. */
  readonly query: (sql: string, url?: string) => Promise<pg.QueryResult>;
};

/** Starts one that trusts its disk, which is faster; what tests a crash of it needs another. */
export async function startPostgres(): Promise<PostgresServer> {
  const server = inject("postgresFrom") === "docker" ? await startContainer() : await startPostgresProcess("-F");
  const query = async (sql: string, url = server.url) => {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      return await client.query(sql);
    } finally {
      await client.end();
    }
  };
  const answers = () =>
    query("SELECT 1").then(
      () => true,
      () => false,
    );
  await until(answers, "PostgreSQL answers", 60_000);
  let databases = 0;
  return {
    url: server.url,
    port: server.port,
    createDatabase: async () => {
      databases += 1;
      await query(`CREATE DATABASE tidegate_${databases}`);
      return Object.assign(new URL(server.url), { pathname: `/tidegate_${databases}` }).href;
    },
    query,
    [Symbol.asyncDispose]: server.stop,
  };
}

async function startContainer() {
  const container = await new PostgreSqlContainer("postgres:17-alpine")
    .withUsername("postgres")
    .withPassword("s3cret")
    .withCommand(["postgres", "-c", "fsync=off"])
    .start();
  const stop = async () => void (await container.stop());
  return { url: container.getConnectionUri(), port: container.getPort(), stop };
}
