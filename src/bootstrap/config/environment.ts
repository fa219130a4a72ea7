import type { z } from "zod";
import type { ConfigProblem } from "../../infrastructure/config-error.ts";
import { isEntry, mapIn } from "../../infrastructure/entries.ts";
import { isCredential } from "../../infrastructure/secrets/credential-secret.ts";
import { postgresUrl } from "./connection-schema.ts";
import { eventLogConnection } from "./event-log-connection.ts";
import { cache, events, log, server } from "./schema.ts";

/** The option that a variable sets. `expected` describes a valid value, unless the schema's message does. */
type Variable = readonly [section: string, option: string, schema: z.ZodType, expected?: string];

// The message does not quote the URL, because it contains a password.
const database = postgresUrl.transform((url) => ({ kind: "postgres", url }));
const levels = log.shape.level.unwrap().options.join(", ");

/** The variables that apply over the values of the file. */
const variables: Readonly<Record<string, Variable>> = {
  PORT: ["server", "port", server.shape.port, "a number from 0 to 65535"],
  HOST: ["server", "host", server.shape.host],
  WEB_CONCURRENCY: ["server", "workers", server.shape.workers, "a number of processes from 1 to 512, or auto"],
  CACHE_CAPACITY: ["cache", "capacity", cache.shape.capacity, "a number of keys from 1 to 10000000"],
  GLOBAL_CACHE_EXPIRY: ["cache", "expirySeconds", cache.shape.expirySeconds, "a number of seconds from 1 to 86400"],
  TIDEGATE_ENVIRONMENT: ["events", "environment", events.shape.environment, "a name of 1 to 100 characters"],
  DATABASE_URL: ["connections", eventLogConnection, database],
  LOG_LEVEL: ["log", "level", log.shape.level, `one of ${levels}`],
};

/** Applies environment variables over the values of the file. */
export function withEnvironment(raw: unknown, env: NodeJS.ProcessEnv, problems: ConfigProblem[]): unknown {
  if (!isEntry(raw)) return raw;
  const merged: Record<string, unknown> = { ...raw };
  for (const [name, [section, option, schema, expected]] of Object.entries(variables)) {
    const value = env[name];
    if (!value) continue;
    const { data, error } = schema.safeParse(value);
    if (error) {
      const fault = expected ? `"${value}" is invalid (expected ${expected})` : (error.issues[0]?.message ?? "");
      problems.push({ place: "environment", path: name, fault });
    } else if (merged[section] === undefined || isEntry(merged[section])) {
      merged[section] = { ...mapIn(merged, section), [option]: data };
    }
  }
  return merged;
}

/** The variables that apply over the values of the file, with their values; the URL of a database is hidden. */
export const overridesIn = (env: NodeJS.ProcessEnv): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.keys(variables).flatMap((name) => {
      const value = env[name];
      return value ? [[name, name === "DATABASE_URL" ? "***" : value]] : [];
    }),
  );

/** Reports an invalid first operator credential in the environment. */
export function checkAdminToken(env: NodeJS.ProcessEnv, problems: ConfigProblem[]): void {
  const token = env["TIDEGATE_ADMIN_TOKEN"];
  if (!token || isCredential(token)) return;
  const fault =
    "invalid credential (expected 16 or more visible ASCII characters, for example from `openssl rand -hex 32`)";
  problems.push({ place: "environment", path: "TIDEGATE_ADMIN_TOKEN", fault });
}
