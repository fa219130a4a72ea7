import type { z } from "zod";
import type { Problem } from "../../infrastructure/config-error.ts";
import { type Entry, isEntry, mapIn } from "../../infrastructure/entries.ts";
import { isCredential } from "../../infrastructure/secrets/credential-secret.ts";
import { postgresUrl } from "./connection-schema.ts";
import { eventLogConnection } from "./event-log-connection.ts";
import { cache, events, log, server } from "./schema.ts";

/**
 * Applies environment variables over the values of the file: PORT, HOST, WEB_CONCURRENCY, CACHE_CAPACITY,
 * GLOBAL_CACHE_EXPIRY, TIDEGATE_ENVIRONMENT, DATABASE_URL and LOG_LEVEL.
 */
export function withEnvironment(raw: unknown, env: NodeJS.ProcessEnv, problems: Problem[]): unknown {
  const read = (variable: string, schema: z.ZodType): unknown => {
    const value = env[variable];
    if (!value) return undefined;
    const result = schema.safeParse(value);
    if (result.success) return value;
    problems.push({
      place: "environment",
      path: variable,
      fault: `"${value}" is invalid (expected ${expected[variable]})`,
    });
    return undefined;
  };
  const expected: Record<string, string> = {
    PORT: "a number from 0 to 65535",
    WEB_CONCURRENCY: "a number of processes from 1 to 512, or auto",
    CACHE_CAPACITY: "a number of keys from 1 to 10000000",
    GLOBAL_CACHE_EXPIRY: "a number of seconds from 1 to 86400",
    TIDEGATE_ENVIRONMENT: "a name of 1 to 100 characters",
    LOG_LEVEL: `one of ${log.shape.level.unwrap().options.join(", ")}`,
  };
  if (!isEntry(raw)) return raw;
  const serving = {
    host: read("HOST", server.shape.host),
    port: read("PORT", server.shape.port),
    workers: read("WEB_CONCURRENCY", server.shape.workers),
  };
  const merged = (section: string, values: Entry) =>
    raw[section] === undefined || isEntry(raw[section]) ? { ...mapIn(raw, section), ...given(values) } : raw[section];
  return {
    ...raw,
    server: merged("server", serving),
    cache: merged("cache", {
      capacity: read("CACHE_CAPACITY", cache.shape.capacity),
      expirySeconds: read("GLOBAL_CACHE_EXPIRY", cache.shape.expirySeconds),
    }),
    events: merged("events", { environment: read("TIDEGATE_ENVIRONMENT", events.shape.environment) }),
    connections: merged("connections", { [eventLogConnection]: databaseIn(env, problems) }),
    log: merged("log", { level: read("LOG_LEVEL", log.shape.level) }),
  };
}

const overriding = [
  "PORT",
  "HOST",
  "WEB_CONCURRENCY",
  "CACHE_CAPACITY",
  "GLOBAL_CACHE_EXPIRY",
  "TIDEGATE_ENVIRONMENT",
  "DATABASE_URL",
  "LOG_LEVEL",
];

/** The variables that apply over the values of the file, with their values; the URL of a database is hidden. */
export const overridesIn = (env: NodeJS.ProcessEnv): Readonly<Record<string, string>> =>
  Object.fromEntries(
    overriding.flatMap((name) => {
      const value = env[name];
      return value ? [[name, name === "DATABASE_URL" ? "***" : value]] : [];
    }),
  );

/** The event log connection from DATABASE_URL. Messages do not quote the URL, because it contains a password. */
function databaseIn(env: NodeJS.ProcessEnv, problems: Problem[]): Entry | undefined {
  const url = env["DATABASE_URL"];
  if (!url) return undefined;
  const { error } = postgresUrl.safeParse(url);
  if (!error) return { kind: "postgres", url };
  const fault = error.issues[0]?.message ?? "";
  problems.push({ place: "environment", path: "DATABASE_URL", fault });
  return undefined;
}

/** Reports an invalid first operator credential in the environment. */
export function checkAdminToken(env: NodeJS.ProcessEnv, problems: Problem[]): void {
  const token = env["TIDEGATE_ADMIN_TOKEN"];
  if (!token || isCredential(token)) return;
  const fault =
    "invalid credential (expected 16 or more visible ASCII characters, for example from `openssl rand -hex 32`)";
  problems.push({ place: "environment", path: "TIDEGATE_ADMIN_TOKEN", fault });
}

const given = (values: Entry): Entry =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
