import { PostgreSqlContainer } from "@testcontainers/postgresql";
import type { TestProject } from "vitest/node";
import { dockerRuns } from "./docker.ts";
import { installIfMissing } from "./install-if-missing.ts";
import { postgresPrograms, startPostgresProcess } from "./postgres-process.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The PostgreSQL server of this test run, as its superuser. */
    postgresUrl: string;
  }
}

/**
 * Starts the PostgreSQL server of the test run, and stops it at the end. It does not sync to disk. Fails with the
 * command to type if neither Docker nor PostgreSQL is installed.
 */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const from = await postgresFrom();
  const { url, stop } = from === "docker" ? await startContainer() : await startPostgresProcess(...settings);
  provide("postgresUrl", url);
  return stop;
}

/** Many test files have connections at the same time. */
const settings = ["-c", "fsync=off", "-c", "max_connections=300"];

async function startContainer() {
  const container = await new PostgreSqlContainer("postgres:17-alpine")
    .withUsername("postgres")
    .withPassword("s3cret")
    .withCommand(["postgres", ...settings])
    .start();
  return { url: container.getConnectionUri(), stop: async () => void (await container.stop()) };
}

async function postgresFrom(): Promise<"docker" | "path"> {
  if (await dockerRuns()) return "docker";
  installIfMissing({
    name: "Docker or PostgreSQL",
    debianPackage: "postgresql",
    isInstalled: () => postgresPrograms() !== undefined,
  });
  return "path";
}
