import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { TestProject } from "vitest/node";
import { dockerRuns } from "./docker.ts";
import { isOnPath } from "./redis-process.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** How the tests start Redis servers. */
    redisFrom: "docker" | "path";
  }
}

/** Finds a way to start real Redis servers. Fails with the command to type if there is none. */
export async function setup({ provide }: TestProject): Promise<void> {
  provide("redisFrom", await redisFrom());
}

async function redisFrom(): Promise<"docker" | "path"> {
  if (await dockerRuns()) return "docker";
  if (isOnPath()) return "path";
  const install = "apt-get update && apt-get install -y --no-install-recommends redis-server";
  const isRootOnDebian = process.getuid?.() === 0 && existsSync("/etc/debian_version");
  if (!isRootOnDebian) {
    throw new Error(
      `The tests need a real Redis, and neither Docker nor redis-server is here. Start Docker, or type:\n  sudo sh -c '${install}'`,
    );
  }
  console.log(`Neither Docker nor redis-server is here; installing it: ${install}`);
  execFileSync("sh", ["-c", install], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  if (!isOnPath()) throw new Error(`redis-server is still not on the path; type: ${install}`);
  return "path";
}
