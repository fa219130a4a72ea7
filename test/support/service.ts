import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { loadConfig } from "../../src/bootstrap/config/config.ts";
import { type Service, type StartOptions, start } from "../../src/bootstrap/runtime/service.ts";
import { firstResult, until } from "./until.ts";

/** A service in this process, on a free port of the loopback address. */
export type TestService = AsyncDisposable &
  Service & { readonly get: (path: string, headers?: Record<string, string>) => Promise<Response> };

/** The ways in which `GET /features` is served, with the options of a service for each. */
export const ways = [
  ["by the fast path where possible", { hasShortcut: true }],
  ["always by the route", { hasShortcut: false }],
] as const;

/**
 * Starts a service with a configuration given as text; files named in it are relative to a folder of its own. It is
 * not warmed up, which would take longer than most tests.
 */
export async function startService(
  yaml: string,
  env: NodeJS.ProcessEnv = {},
  options: StartOptions = {},
): Promise<TestService> {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-service-"));
  const file = join(folder, "tidegate.yaml");
  writeFileSync(file, yaml);
  const service = await startServiceOn(file, { FOLDER: folder, TIDEGATE_DATA: folder, ...env }, options);
  return {
    ...service,
    [Symbol.asyncDispose]: async () => {
      await service.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Starts a service with a configuration file, not warmed up either. */
export async function startServiceOn(
  file: string,
  env: NodeJS.ProcessEnv,
  options: StartOptions = {},
): Promise<TestService> {
  const own = { PORT: "0", HOST: "127.0.0.1", LOG_LEVEL: "silent" };
  const config = await loadConfig(file, { ...own, ...env });
  const service = await start(
    { ...config, server: { ...config.server, drainMs: 0 } },
    { ...own, ...env },
    {
      isWarm: false,
      ...options,
    },
  );
  return {
    ...service,
    get: (path, headers: Record<string, string> = {}) => fetch(service.url + path, { headers }),
    [Symbol.asyncDispose]: service.stop,
  };
}

/** The default rules, over Redis. */
export const redisRules = (usersUrl: string, featuresUrl: string): string => `
connections:
  users: { kind: redis, url: "${usersUrl}" }
  features: { kind: redis, url: "${featuresUrl}" }
tokens: { connection: users }
sources:
  - { name: global, kind: set, connection: features, key: global_features }
  - { name: active, kind: set, connection: features, key: active_features, role: gate }
  - { name: killed, kind: set, connection: features, key: "tidegate:killed", role: veto }
  - { name: user, kind: set, connection: features, key: "features:user:{userId}", gatedBy: [active] }
`;

/** The header that the seed's clients send: the token is the password. */
export const basic = (token: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`:${token}`).toString("base64")}`,
});

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

/** Waits until the invalidation feeds of all connections are live, which may be after the service is ready. */
export async function feedsLive(service: TestService, adminToken: string): Promise<void> {
  const areLive = async () => {
    const text = await (await service.get("/metrics", bearer(adminToken))).text();
    const values = [...text.matchAll(/^tidegate_invalidation_up\{.*\} (\d)$/gm)].map(([, value]) => value);
    return values.length > 0 && values.every((value) => value === "1");
  };
  await until(areLive, "the change feeds are live");
}

/** Whether no slow store affects a response: it is neither 503 with the request to repeat it, nor marked. */
export const isInTime = ({ headers }: Pick<Response, "headers">): boolean =>
  headers.get("retry-after") !== "1" && !headers.has("cache-status");

/** The first response of a call that no slow store affects. On a busy machine a store may respond too late for a read. */
export const inTime = (call: () => Promise<Response>): Promise<Response> =>
  firstResult(
    call,
    async (answer) => {
      if (isInTime(answer)) return true;
      await answer.body?.cancel();
      return false;
    },
    "the store answers in time",
  );

/** The same for a GET of a path. */
export const answerInTime = (
  service: TestService,
  path: string,
  headers: Record<string, string> = {},
): Promise<Response> => inTime(() => service.get(path, headers));

let barriers = 0;

/**
 * Waits until the service has processed all earlier writes to Redis: invalidations arrive in order, so it waits for a
 * last one, and until no slow store affects a response. Works with the rules above, and leaves a token, a user and an
 * active feature of its own.
 */
export async function settled(features: Redis, service: TestService, users = features): Promise<void> {
  barriers += 1;
  const feature = `barrier_${barriers}`;
  await users.set("token:barrier", `barrier-${barriers}`);
  await features.sadd(`features:user:barrier-${barriers}`, feature);
  await features.sadd("active_features", feature);
  const seen = async () =>
    (await (await answerInTime(service, "/features", bearer("barrier"))).text()).includes(feature);
  await until(seen, "the service acts on what was written");
}
