import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { instant } from "../../../support/instant.ts";
import { longSetRuns } from "../../../support/long-set.ts";
import { adminToken, type Operator, sqliteRules, startOperator } from "../../../support/operator.ts";
import { createDatabase } from "../../../support/postgres.ts";
import { bearer } from "../../../support/service.ts";
import { TcpProxy } from "../../../support/tcp-proxy.ts";
import { firstResult, until } from "../../../support/until.ts";

type Feature = {
  feature: string;
  on: boolean | null;
  message: string;
  results: {
    source: string;
    result: string;
    lastChange: { event: string; by: string; at: string; note?: string } | null;
  }[];
};

const textOf = (at: number): string => new Date(at).toISOString();

/** Returns once the event log covers all sets. */
async function onRecord({ service }: Operator): Promise<number> {
  let at = 0;
  const isKnown = async () => {
    at = Date.now() - 1;
    const asked = `/features?user=1&location=madrid&at=${textOf(at)}`;
    const { ok, headers } = await service.get(asked, bearer(adminToken));
    return ok && !headers.has("cache-status");
  };
  await until(isKnown, "the sets are on record");
  return at;
}

/** Invalid bodies of an explanation, each with the pointer of its fault. */
const wrong: [body: unknown, pointer: string][] = [
  [[], ""],
  [{ user: "1", token: "s3cret-canary" }, "/token"],
  [{ token: "s3cret-canary" }, "/token"],
  [{ token: "" }, "/token"],
  [{ user: "" }, "/user"],
  [{ user: 1 }, "/user"],
  [{ user: "x".repeat(201) }, "/user"],
  [{ location: "x".repeat(201) }, "/location"],
  [{ ip: "nowhere" }, "/ip"],
  [{ targetingKey: "" }, "/targetingKey"],
  [{ user: "1", targetingKey: "2" }, "/targetingKey"],
  [{ attributes: { plan: null } }, "/attributes/plan"],
  [{ actor: "me" }, "/actor"],
  [{ at: "last Tuesday" }, "/at"],
  [{ at: "2026-02-30T00:00:00Z" }, "/at"],
  [{ at: "2026-02-20" }, "/at"],
  [{ at: 1_700_000_000_000 }, "/at"],
  [{ features: [] }, "/features"],
  [{ features: "a" }, "/features"],
  [{ features: ["a\u0007"] }, "/features/0"],
  [{ features: [""] }, "/features/0"],
  [{ features: Array.from({ length: 1_001 }, (_, index) => `f${index}`) }, "/features"],
];

describe("over SQLite", () => {
  let operator: Operator & AsyncDisposable;
  let before = 0;
  beforeAll(async () => {
    operator = await startOperator(sqliteRules);
    await operator.post("/users/1/tokens", { token: "one" });
    before = await onRecord(operator);
    await instant();
    await operator.put("/sources/user/features/mine?userId=1&note=a%20try");
    await operator.put("/sources/user/features/held?userId=1");
    await operator.put("/sources/active/features/mine");
    await operator.put("/sources/location/features/tapas?location=madrid");
    await operator.put("/sources/global/features/doomed");
    await operator.put("/killed/doomed");
    await until(async () => (await operator.features("one")).join() === "always,mine", "the changes are acted on");
  });
  afterAll(() => operator[Symbol.asyncDispose]());

  const explain = async (question: object = { user: "1" }) => {
    const { status, body, headers } = await operator.post("/explain", question);
    expect([status, headers.get("cache-control")]).toEqual([200, "no-store"]);
    return body as { features: Feature[] } & Record<string, unknown>;
  };

  /** The explanation once nothing in it is stale. A slow store makes results stale for a while. */
  const explainFresh = async (question: object) => {
    let answer = await explain(question);
    const isFresh = (read: unknown) => (read as { fresh: boolean } | null)?.fresh !== false;
    await until(async () => {
      answer = await explain(question);
      const sources = answer["sources"] as { freshness: unknown }[];
      return [answer["identity"], ...sources.map(({ freshness }) => freshness)].every(isFresh);
    }, "all is fresh");
    return answer;
  };

  describe("POST /admin/v1/explain", () => {
    it("returns the state and the cause of each feature", async () => {
      const { features } = await explain({ user: "1", location: "madrid" });
      expect(features.map(({ feature, on, message }) => [feature, on, message])).toEqual([
        ["always", true, 'on: grant "literal"'],
        ["doomed", false, 'off: veto "killed" (tidegate:killed)'],
        ["held", false, 'off: grant "user" (features:user:1), but gate "active" denies it'],
        ["mine", true, 'on: grant "user" (features:user:1), gate "active" allows it'],
        ["never", false, "off: no source grants it"],
        ["tapas", true, 'on: grant "location" (location:madrid)'],
      ]);
    });

    it("agrees with GET /features", async () => {
      const { features } = await explain({ token: "one", location: "madrid" });
      const on = features.filter((each) => each.on).map(({ feature }) => feature);
      expect(on).toEqual(await operator.features("one", "?location=madrid"));
    });

    it("names the last change, an event of the log", async () => {
      const { features, log } = await explain({ user: "1", features: ["mine"] });
      expect([log, features.map(({ feature }) => feature)]).toEqual(["available", ["mine"]]);
      const lastChange = features[0]?.results.find(({ source }) => source === "user")?.lastChange;
      expect(lastChange).toMatchObject({ by: "admin", note: "a try", origin: "change" });
      const listed = await operator.service.get("/events?component=features", bearer(adminToken));
      const { events } = (await listed.json()) as { events: { id: string; time: string; data: unknown }[] };
      expect(events.find(({ id }) => id === lastChange?.event)).toMatchObject({
        time: lastChange?.at,
        data: { key: "features:user:1", added: ["mine"] },
      });
    });

    it("returns the context and the state of each source", async () => {
      const answer = await explainFresh({ token: "one" });
      expect(answer).toMatchObject({ state: "current", configuration: "current", user: "1", location: null });
      expect(answer["identity"]).toMatchObject({ fresh: true });
      expect(answer["sources"]).toMatchObject([
        {
          name: "global",
          role: "grant",
          sets: [{ connection: "features", key: "global_features" }],
          state: "evaluated",
        },
        { name: "active", role: "gate" },
        { name: "killed", role: "veto" },
        { name: "user", gatedBy: ["active"], freshness: { fresh: true } },
        { name: "location", sets: [], freshness: null },
        { name: "literal", sets: [], state: "evaluated", historyFrom: null, error: null },
      ]);
    });

    it("returns a location with its parents, the sets and the last changes", async () => {
      await operator.put("/sources/location/features/siesta?location=es");
      await operator.put("/sources/location/features/bear?location=es/madrid");
      const at = await instant();
      await operator.delete("/sources/location/features/bear?location=es/madrid");
      await until(async () => (await operator.features("one", "?location=es/madrid")).includes("siesta"), "it is on");
      const asked = { location: "es/madrid", features: ["bear", "siesta"] };
      const now = await firstResult(
        () => explainFresh(asked),
        ({ features }) => features.every(({ results }) => results[4]?.lastChange),
        "the log has the changes",
      );
      expect(now).toMatchObject({ location: "es/madrid", locations: ["es/madrid", "es"], locatedBy: null });
      expect((now["sources"] as object[])[4]).toMatchObject({
        name: "location",
        sets: [
          { connection: "features", key: "location:es/madrid" },
          { connection: "features", key: "location:es" },
        ],
        freshness: { fresh: true },
      });
      const said = ({ features }: { features: Feature[] }) =>
        features.map(({ feature, message, results }) => [feature, message, results[4]]);
      expect(said(now)).toMatchObject([
        [
          "bear",
          "off: no source grants it",
          { result: "absent", set: "location:es/madrid", lastChange: { by: "admin" } },
        ],
        [
          "siesta",
          'on: grant "location" (location:es)',
          { result: "on", set: "location:es", lastChange: { by: "admin", origin: "change" } },
        ],
      ]);
      const then = await explain({ ...asked, at: textOf(at) });
      expect(said(then)[0]).toMatchObject([
        "bear",
        'on: grant "location" (location:es/madrid)',
        { result: "on", set: "location:es/madrid", lastChange: { by: "admin" } },
      ]);
      const { body } = await operator.get(`/diff?location=es/madrid&from=${textOf(at)}&to=${textOf(await instant())}`);
      expect([body.turnedOff, body.events.map(({ key }: { key: string }) => key)]).toEqual([
        ["bear"],
        ["location:es/madrid"],
      ]);
    });

    it("evaluates an anonymous client without user and token", async () => {
      const { user, identity, features } = await explain({});
      expect([user, identity]).toEqual([null, null]);
      expect(features.map(({ feature }) => feature)).toEqual(["always", "doomed", "mine", "never"]);
    });

    it("evaluates a past time from the history", async () => {
      const { state, at, features } = await explain({ user: "1", at: textOf(before), features: ["mine", "doomed"] });
      expect([state, at]).toEqual(["history", textOf(before)]);
      expect(features.map(({ on, message }) => [on, message])).toEqual([
        [false, "off: no source grants it"],
        [false, "off: no source grants it"],
      ]);
    });

    it("returns null for features that depend on missing history", async () => {
      const { features, sources } = await explain({ user: "1", at: "2020-01-01T00:00:00+01:00" });
      expect(features.map(({ feature, on }) => [feature, on])).toEqual([
        ["always", null],
        ["never", null],
      ]);
      expect(features[0]?.message).toBe("undetermined: no history at that time for killed");
      expect(sources).toMatchObject([
        { state: "no-history", historyFrom: expect.stringMatching(/^20.*Z$/) },
        {},
        {},
        {},
        {},
        {},
      ]);
    });

    it.each(wrong)("rejects %j with its pointer, without repeating the token", async (body, pointer) => {
      const { status, body: problem } = await operator.post("/explain", body);
      expect([status, problem.code]).toEqual([422, "validation-failed"]);
      expect(problem.errors.map((fault: { pointer: string }) => fault.pointer)).toEqual([pointer]);
      expect(JSON.stringify(problem)).not.toContain("canary");
    });

    it("never returns the token of the request", async () => {
      expect(JSON.stringify(await explain({ token: "one" }))).not.toMatch(/"one"/);
    });
  });

  describe("GET /features?at=", () => {
    const ask = (query: string, headers: Record<string, string> = bearer(adminToken), method = "GET") =>
      fetch(`${operator.service.url}/features${query}`, { headers, method });
    const now = () => `at=${textOf(Date.now())}`;

    it("returns past features to operators", async () => {
      const then = await ask(`?user=1&at=${textOf(before)}`);
      expect([then.status, await then.text()]).toEqual([200, '{"active_features":["always"]}']);
      const later = await ask(`?user=1&location=madrid&at=${textOf(Date.now() + 3_600_000)}`);
      expect(await later.text()).toBe('{"active_features":["always","mine","tapas"]}');
      expect(later.headers.get("tidegate-at")).toMatch(/Z; state="current"; configuration="current"$/);
    });

    it("is not cached and not served to others", async () => {
      const query = `?user=1&at=${textOf(Date.now() + 60_000)}`;
      for (let call = 0; call < 2; call++) {
        const answer = await ask(query);
        expect([answer.status, answer.headers.get("cache-control"), answer.headers.get("etag")]).toEqual([
          200,
          "no-store",
          null,
        ]);
        expect((await ask(query, {})).status).toBe(401);
      }
      const head = await ask(query, bearer(adminToken), "HEAD");
      expect([head.status, await head.text()]).toEqual([200, ""]);
    });

    it("includes each acknowledged change", async () => {
      for (const method of ["put", "delete"] as const) {
        await operator[method]("/sources/global/features/quick");
        const body = await (await ask(`?at=${textOf(await instant())}`)).text();
        expect(body.includes("quick")).toBe(method === "put");
      }
    });

    it.each<[query: () => string, headers: Record<string, string>, status: number, code: string]>([
      [() => `?${now()}`, {}, 401, "unauthenticated"],
      [() => `?${now()}`, bearer("nobody's"), 401, "unauthenticated"],
      [() => `?${now()}`, bearer("one"), 403, "forbidden"],
      [() => "?at=nonsense", {}, 401, "unauthenticated"],
      [() => "?at=nonsense", bearer(adminToken), 400, "invalid-query"],
      [() => "?at=", bearer(adminToken), 400, "invalid-query"],
      [() => "?at", bearer(adminToken), 400, "invalid-query"],
      [() => "?%61t=2026-02-30T00:00:00Z", bearer(adminToken), 400, "invalid-query"],
      [() => "?at=2026-02-20T00:00:00+01:00", bearer(adminToken), 400, "invalid-query"],
      [() => `?${now()}&${now()}`, bearer(adminToken), 400, "invalid-query"],
      [() => `?${now()}&user=`, bearer(adminToken), 400, "invalid-query"],
      [() => `?${now()}&user=${"x".repeat(201)}`, bearer(adminToken), 400, "invalid-context"],
      [() => `?${now()}&token=one`, bearer(adminToken), 400, "credential-in-query"],
      [() => "?user=1", {}, 400, "invalid-query"],
      [() => "?user=1", bearer(adminToken), 400, "invalid-query"],
      [() => "?user=2&location=madrid", bearer("one"), 400, "invalid-query"],
      [() => "?at=2020-01-01T00:00:00Z", bearer(adminToken), 404, "history-unavailable"],
    ])("rejects %s", async (query, headers, status, code) => {
      const answer = await ask(query(), headers);
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
    });
  });

  describe("GET /admin/v1/diff", () => {
    it("returns the changed features and the events behind them, oldest first", async () => {
      const from = await instant();
      await operator.put("/sources/user/features/new?userId=1");
      await operator.put("/sources/user/features/new?userId=2");
      await operator.put("/sources/active/features/new?note=at%20last");
      await operator.delete("/sources/active/features/mine");
      const to = await instant();
      await operator.put("/sources/active/features/mine");
      const { status, body } = await operator.get(`/diff?user=1&from=${textOf(from)}&to=${textOf(to)}`);
      expect([status, body.turnedOn, body.turnedOff, body.undetermined, body.missingHistory]).toEqual([
        200,
        ["new"],
        ["mine"],
        [],
        [],
      ]);
      expect(body.events).toMatchObject([
        { key: "features:user:1", added: ["new"], removed: [], by: "admin", note: null, origin: "change" },
        { key: "active_features", added: ["new"], note: "at last", connection: "features" },
        { key: "active_features", added: [], removed: ["mine"] },
      ]);
    });

    it("names sources without history", async () => {
      const { body } = await operator.get(`/diff?user=1&from=2020-01-01T00:00:00Z&to=${textOf(before)}`);
      expect(body.undetermined).toEqual(["always", "never"]);
      expect(body.missingHistory.map(({ source }: { source: string }) => source)).toEqual([
        "global",
        "active",
        "killed",
        "user",
      ]);
    });

    it.each([
      ["", "invalid-query"],
      ["?from=2026-01-01T00:00:00Z", "invalid-query"],
      ["?from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "invalid-query"],
      ["?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "invalid-query"],
      ["?from=yesterday&to=2026-01-01T00:00:00Z", "invalid-query"],
      ["?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&token=one", "credential-in-query"],
    ])("rejects %s", async (query, code) => {
      const { status, body } = await operator.get(`/diff${query}`);
      expect([status, body.code]).toEqual([400, code]);
    });
  });

  describe("GET /admin/v1/features?at=", () => {
    it("lists the past state of features", async () => {
      const then = await instant();
      const whereAt = async (at: number) => {
        const { body } = await operator.get(`/features?search=doomed&at=${textOf(at)}`);
        return body.features.map(({ on, killed }: { on: object; killed: boolean }) => [on, killed]);
      };
      expect(await whereAt(before)).toEqual([]);
      for (const at of [then, Date.now() + 60_000]) {
        expect(await whereAt(at)).toMatchObject([[{ global: true, active: false, killed: true }, true]]);
      }
      const { body } = await operator.get(`/features?search=tapas&at=${textOf(then)}`);
      expect(body.features[0].on).toMatchObject({
        location: { location: ["madrid"], complete: true },
        user: { users: null },
      });
    });

    it("returns 404 without history", async () => {
      const { status, body } = await operator.get("/features?at=2020-01-01T00:00:00Z");
      expect([status, body.code]).toEqual([404, "history-unavailable"]);
    });
  });
});

describe("while the event log is unavailable", () => {
  let proxy: TcpProxy;
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    const database = await createDatabase();
    proxy = await TcpProxy.to(database.port);
    const url = Object.assign(new URL(database.url), { port: proxy.port });
    operator = await startOperator(sqliteRules, { DATABASE_URL: url.href });
    await onRecord(operator);
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  });

  it("explains the present, and the past once the log is back", async () => {
    const at = textOf(Date.now() - 1);
    const state = async () => {
      const { body } = await operator.post("/explain", {});
      const past = await operator.service.get(`/features?at=${at}`, bearer(adminToken));
      const code = past.ok ? "answered" : ((await past.json()) as { code: string }).code;
      return [body.log, body.features.length, code];
    };
    expect(await state()).toEqual(["available", 2, "answered"]);
    proxy.cut();
    expect(await state()).toEqual(["unavailable", 2, "log-unavailable"]);
    expect((await operator.get(`/diff?from=2026-01-01T00:00:00Z&to=${at}`)).body.code).toBe("log-unavailable");
    proxy.heal();
    await until(async () => (await state()).join() === "available,2,answered", "the log is back");
  });
});

// `make soak` runs this with 10,000 changes.
longSetRuns(200);
