import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { TestProject } from "vitest/node";
import { dockerRuns } from "./docker.ts";
import { postgresPrograms } from "./postgres-process.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the tests' PostgreSQL servers come from. */
    postgresFrom: "docker" | "path";
  }
}

/** Finds a way to start real PostgreSQL servers; fails, and says what to type, where there is none. */
export async function setup({ provide }: TestProject): Promise<void> {
  provide("postgresFrom", await postgresFrom());
}

async function postgresFrom(): Promise<"docker" | "path"> {
  if (await dockerRuns()) return "docker";
  if (postgresPrograms()) return "path";
  const install = "apt-get update && apt-get install -y --no-install-recommends postgresql";
  const isRootOnDebian = process.getuid?.() === 0 && existsSync("/etc/debian_version");
  if (!isRootOnDebian) {
    throw new Error(
      `The tests need a real PostgreSQL, and neither Docker nor its initdb is here. Start Docker, or type:\n  sudo sh -c '${install}'`,
    );
  }
  console.log(`Neither Docker nor PostgreSQL is here; installing it: ${install}`);
  execFileSync("sh", ["-c", install], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  if (!postgresPrograms()) throw new Error(`PostgreSQL is still not to be found; type: ${install}`);
  return "path";
}
