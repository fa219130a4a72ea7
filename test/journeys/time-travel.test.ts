import { describe, expect, it } from "vitest";
import { instant } from "../support/instant.ts";
import { createDatabase } from "../support/postgres.ts";
import { startRedis } from "../support/redis.ts";
import { bearer, redisRules, startService, type TestService } from "../support/service.ts";
import { until } from "../support/until.ts";

const admin = "the-operators-credential";
const location = `  - { name: location, kind: set, connection: features, key: "location:{location}" }\n`;

/** The real response to a client, and its time. */
type Answered = { readonly at: number; readonly bodies: readonly string[] };

/**
 * The callers at each instant: anonymous, two users, and one in Madrid; and the operators' query for the same later.
 */
const callers = [
  { path: "/features", token: undefined, later: "" },
  { path: "/features", token: "one", later: "&user=1" },
  { path: "/features", token: "two", later: "&user=2" },
  { path: "/features?location=madrid", token: "one", later: "&user=1&location=madrid" },
];

const answersNow = (service: TestService): Promise<string[]> =>
  Promise.all(callers.map(async ({ path, token }) => (await service.get(path, token ? bearer(token) : {})).text()));

function answerAt(service: TestService, at: number, later: string): Promise<Response> {
  return service.get(`/features?at=${encodeURIComponent(new Date(at).toISOString())}${later}`, bearer(admin));
}

const answersAt = (service: TestService, at: number): Promise<Response[]> =>
  Promise.all(callers.map(({ later }) => answerAt(service, at, later)));

async function asOperator(service: TestService, method: string, path: string, body?: object): Promise<void> {
  const response = await fetch(`${service.url}/admin/v1/${path}`, {
    method,
    headers: { ...bearer(admin), ...(body && { "content-type": "application/json" }) },
    body: body ? JSON.stringify(body) : null,
  });
  expect([path, response.ok]).toEqual([path, true]);
}

/** The changes between the instants, and the features of each caller afterwards, one letter each. */
const story: [method: "PUT" | "DELETE", path: string, expected: string[]][] = [
  ["PUT", "sources/global/features/a", ["a", "a", "a", "a"]],
  ["PUT", "sources/user/features/b?userId=1", ["a", "a", "a", "a"]],
  ["PUT", "sources/active/features/b", ["a", "ab", "a", "ab"]],
  ["PUT", "sources/user/features/b?userId=2", ["a", "ab", "ab", "ab"]],
  ["PUT", "sources/location/features/c?location=madrid", ["a", "ab", "ab", "abc"]],
  ["PUT", "killed/a", ["", "b", "b", "bc"]],
  ["DELETE", "sources/active/features/b", ["", "", "", "c"]],
  ["DELETE", "killed/a", ["a", "a", "a", "ac"]],
  ["PUT", "sources/active/features/b", ["a", "ab", "ab", "abc"]],
  ["DELETE", "sources/user/features/b?userId=1", ["a", "a", "ab", "ac"]],
];

const bodyOf = (letters: string): string => JSON.stringify({ active_features: [...letters] });

async function live(service: TestService): Promise<readonly Answered[]> {
  const answered: Answered[] = [];
  for (const [method, path, expected] of story) {
    await asOperator(service, method, path);
    const bodies = expected.map(bodyOf);
    const isActedOn = async () => (await answersNow(service)).join() === bodies.join();
    await until(isActedOn, `${method} ${path} is acted on`);
    const at = await instant();
    answered.push({ at, bodies: await answersNow(service) });
  }
  return answered;
}

/** Resolves once the event log covers the sets of all callers. */
async function onRecord(service: TestService): Promise<number> {
  let at = 0;
  const isKnown = async () => {
    at = Date.now() - 1;
    return (await answersAt(service, at)).every(({ ok, headers }) => ok && !headers.has("cache-status"));
  };
  await until(isKnown, "all sets are on record");
  return at;
}

async function reproduces(service: TestService): Promise<void> {
  await asOperator(service, "POST", "users/1/tokens", { token: "one" });
  await asOperator(service, "POST", "users/2/tokens", { token: "two" });
  const began = await instant();
  await onRecord(service);
  const answered = await live(service);
  expect(answered).toHaveLength(10);
  for (const { at, bodies } of answered) {
    const responses = await answersAt(service, at);
    expect(await Promise.all(responses.map((response) => response.text()))).toEqual(bodies);
    for (const { headers } of responses) {
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("tidegate-at")).toBe(
        `${new Date(at).toISOString()}; state="history"; configuration="current"`,
      );
    }
  }
  expect(await Promise.all((await answersAt(service, Date.now() + 60_000)).map((each) => each.text()))).toEqual(
    answered.at(-1)?.bodies,
  );
  const before = await answersAt(service, began - 60_000);
  expect(before.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
  const problem = (await before[1]?.json()) as { code: string; detail: string };
  expect(problem.code).toBe("history-unavailable");
  for (const name of ["global", "active", "killed", "user"]) {
    expect(problem.detail).toMatch(new RegExp(`"${name}" starts at \\d{4}-[^ ]+Z`));
  }
}

describe("a past evaluation equals the response that clients got then", () => {
  it("on one SQLite file", async () => {
    const store = `{ kind: sqlite, file: "\${FOLDER}/store.db" }`;
    const yaml = redisRules("", "").replaceAll('{ kind: redis, url: "" }', store);
    await using service = await startService(yaml + location, { TIDEGATE_ADMIN_TOKEN: admin });
    await service.readyWithin(10_000);
    await reproduces(service);
  });

  it("on Redis, with the log in PostgreSQL, including external changes of a set", async () => {
    await using redis = await startRedis();
    await using service = await startService(redisRules(redis.url, redis.url) + location, {
      TIDEGATE_ADMIN_TOKEN: admin,
      DATABASE_URL: (await createDatabase()).url,
    });
    await service.readyWithin(10_000);
    await reproduces(service);
    const before = await instant();
    await redis.client.srem("active_features", "b");
    const answered = [..."aaa"].map(bodyOf).concat(bodyOf("ac"));
    const notified = async () =>
      (await Promise.all((await answersAt(service, Date.now() - 1)).map((each) => each.text()))).join();
    await until(async () => (await notified()) === answered.join(), "the edit is on record");
    expect(await answersNow(service)).toEqual(answered);
    expect(await (await answersAt(service, before))[2]?.text()).toBe(bodyOf("ab"));
  });
});
