import type { TestProject } from "vitest/node";
import { dockerRuns } from "./docker.ts";
import { installIfMissing } from "./install-if-missing.ts";
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
  installIfMissing({ name: "Docker or redis-server", debianPackage: "redis-server", isInstalled: isOnPath });
  return "path";
}
