import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Connection } from "../../../../src/infrastructure/connection.ts";
import { openSqlite } from "../../../../src/infrastructure/sqlite/sqlite-connection.ts";
import { credentialsOn } from "../../../support/credentials.ts";
import { adminToken } from "../../../support/operator.ts";
import { bearer, startService, startServiceOn, type TestService } from "../../../support/service.ts";
import { tidegate } from "../../../support/tidegate.ts";
import { until } from "../../../support/until.ts";

const rules = (file: string) => `
connections:
  store: { kind: sqlite, file: "${file}" }
tokens: { connection: store, layout: plain }
events: { environment: staging }
sources:
  - { name: everyone, kind: set, connection: store, key: global_features }
`;

type Answer = { status: number; cookies: string[]; challenge: string | undefined; body: ReturnType<typeof JSON.parse> };

/** A browser on a page of the service: fetch does not let its headers be set. */
const browse = (
  service: TestService,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: unknown,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const page = { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", origin: service.url };
    const json = body === undefined ? {} : { "content-type": "application/json" };
    const sent = request(service.url + path, { method, headers: { ...page, ...json, ...headers } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          cookies: response.headers["set-cookie"] ?? [],
          challenge: response.headers["www-authenticate"],
          body: text && JSON.parse(text),
        }),
      );
    });
    sent.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
  });

const sessionPath = "/admin/v1/session";
const featurePath = "/admin/v1/sources/everyone/features/new_menu";

/** The `Cookie` header for a `Set-Cookie` header. */
const sentBack = ([cookie = ""]: string[]) => ({ cookie: cookie.split(";")[0] ?? "" });

describe("sessions", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-sessions-"));
  const file = join(folder, "store.db");
  let store: Connection;
  let service: TestService;
  const issued = new Map<string, string>();
  const start = () => startService(rules(file), { TIDEGATE_ADMIN_TOKEN: adminToken });
  beforeAll(async () => {
    store = openSqlite("store", file);
    const credentials = credentialsOn(store.documents);
    for (const [name, scope] of [
      ["ana", "editor"],
      ["poster", "recorder"],
      ["leaver", "viewer"],
    ] as const)
      issued.set(name, await credentials.add(name, scope, undefined, { by: "tester" }));
    service = await start();
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const signIn = async (credential = adminToken, at = service) => {
    const { status, cookies } = await browse(at, "POST", sessionPath, {}, { credential });
    expect(status).toBe(201);
    return sentBack(cookies);
  };
  const statusOf = async (cookie: Record<string, string>, path = sessionPath, at = service) =>
    (await browse(at, "GET", path, cookie)).status;

  it("start with a credential, and return name, scope, environment and expiry", async () => {
    const { status, cookies, body } = await browse(service, "POST", sessionPath, {}, { credential: adminToken });
    const session = { name: "admin", scope: "admin", email: null, environment: "staging" };
    expect([status, body]).toEqual([201, { ...session, expiresAt: expect.any(String) }]);
    const hours = (Date.parse(body.expiresAt) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(11.9);
    expect(hours).toBeLessThanOrEqual(12);
    expect(cookies).toEqual([
      expect.stringMatching(/^tidegate_session=[\w-]+; Max-Age=43(199|200); Path=\/; HttpOnly; SameSite=Strict$/),
    ]);
    expect(cookies[0]).not.toContain(adminToken);
    expect((await browse(service, "GET", sessionPath, sentBack(cookies))).body).toEqual(body);
  });

  it("are named in the events of their changes, unlike credentials in a header", async () => {
    const made = [
      [await signIn(issued.get("ana")), "page.probe", "page"],
      [bearer(issued.get("ana") ?? ""), "header.probe", undefined],
    ] as const;
    for (const [headers, feature, via] of made) {
      const path = `/admin/v1/sources/everyone/features/${feature}`;
      expect((await browse(service, "PUT", path, headers)).status).toBe(200);
      const recorded = async () => {
        const { body } = await browse(service, "GET", `/events?feature=${feature}`, bearer(adminToken));
        const [event] = body.events;
        return [event?.recorded_by, event?.data.via];
      };
      await expect.poll(recorded, { timeout: 30_000 }).toEqual(["ana", via]);
    }
  });

  it.each([
    ["the origin of the page", { origin: "https://gate.example" }],
    ["a proxy", { "x-forwarded-proto": "https" }],
    ["a proxy, by RFC 7239", { forwarded: 'for=10.0.0.1;proto=https;host="gate.example"' }],
  ])("have a cookie for this host and TLS only, by %s", async (_, headers) => {
    const { cookies } = await browse(service, "POST", sessionPath, headers, { credential: adminToken });
    expect(cookies).toEqual([
      expect.stringMatching(/^__Host-tidegate=.*; Path=\/; HttpOnly; Secure; SameSite=Strict$/),
    ]);
    expect(await statusOf(sentBack(cookies))).toBe(200);
  });

  it("are accepted by operator routes, with the name of the credential as author", async () => {
    const cookie = await signIn(issued.get("ana"));
    for (const path of ["/metrics", "/events", "/admin/v1/features", "/features?at=2100-01-01T00:00:00Z"]) {
      expect([path, (await service.get(path, cookie)).status]).toEqual([path, 200]);
    }
    expect((await browse(service, "PUT", featurePath, cookie)).status).toBe(200);
    const events = async () => (await browse(service, "GET", "/events?feature=new_menu", cookie)).body.events;
    await until(async () => (await events()).length > 0, "the change is in the log");
    expect(await events()).toMatchObject([{ recorded_by: "ana" }]);
    const refused = await browse(service, "DELETE", "/admin/v1/users/1/tokens/x", cookie);
    expect([refused.status, refused.body.code]).toEqual([403, "insufficient-scope"]);
  });

  it.each([
    ["a credential that does not exist", { credential: `tgc_${"x".repeat(43)}` }, 401, "unauthenticated"],
    ["no credential", {}, 422, "validation-failed"],
    ["a link that does not exist", { link: "x".repeat(80) }, 401, "unauthenticated"],
    ["a credential and a link", { link: "x", credential: "x" }, 422, "validation-failed"],
    ["an unknown member", { password: "x" }, 422, "validation-failed"],
  ])("do not start with %s, without a password prompt of the browser", async (_, body, status, code) => {
    const refused = await browse(service, "POST", sessionPath, {}, body);
    expect([refused.status, refused.body.code, refused.cookies]).toEqual([status, code, []]);
    if (status === 401) expect(refused.challenge).toBe('Bearer realm="tidegate"');
    const anonymous = await browse(service, "GET", sessionPath);
    expect([anonymous.status, anonymous.challenge]).toEqual([401, 'Bearer realm="tidegate"']);
  });

  it.each([
    ["a script", { "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin" }, false],
    ["a script over plain HTTP", { "user-agent": "Mozilla/5.0 (X11)", accept: "*/*" }, false],
    ["an EventSource over plain HTTP", { "user-agent": "Mozilla/5.0 (X11)", accept: "text/event-stream" }, false],
    ["somebody who opens the address", { "sec-fetch-mode": "navigate", "sec-fetch-site": "none" }, true],
    ["the same over plain HTTP", { "user-agent": "Mozilla/5.0 (X11)", accept: "text/html,*/*" }, true],
    ["wget", { "user-agent": "Wget/1.21", accept: "*/*" }, true],
  ])("leave a 401 to the page, and offer Basic to others: %s", async (_, headers, isPrompt) => {
    const challenge = await new Promise((resolve, reject) => {
      const sent = request(`${service.url}/metrics`, { headers }, (response) => {
        response.resume();
        resolve(response.headers["www-authenticate"]);
      });
      sent.on("error", reject).end();
    });
    expect(challenge).toEqual(isPrompt ? expect.stringContaining("Basic") : 'Bearer realm="tidegate"');
  });

  it("do not start for a credential that may not read", async () => {
    const refused = await browse(service, "POST", sessionPath, {}, { credential: issued.get("poster") });
    expect([refused.status, refused.body.code]).toEqual([403, "insufficient-scope"]);
  });

  it("do not start, end or change anything from a page of another origin", async () => {
    const cookie = await signIn();
    const evil = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };
    const calls = [
      await browse(service, "POST", sessionPath, evil, { credential: adminToken }),
      await browse(service, "DELETE", sessionPath, { ...cookie, ...evil }),
      await browse(service, "PUT", featurePath, { ...cookie, ...evil }),
      await browse(service, "GET", sessionPath, { ...cookie, ...evil }),
      await browse(service, "PUT", featurePath, { ...cookie, "sec-fetch-site": "none" }),
    ];
    expect(calls.map(({ status, body }) => [status, body.code])).toEqual(calls.map(() => [403, "cross-origin"]));
    expect(await statusOf(cookie)).toBe(200);
  });

  it("do not change anything without the origin of the page", async () => {
    const cookie = await signIn();
    const answer = await fetch(service.url + featurePath, { method: "PUT", headers: cookie });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([403, "cross-origin"]);
    const older = await fetch(service.url + featurePath, {
      method: "PUT",
      headers: { ...cookie, origin: service.url },
    });
    expect(older.status).toBe(200);
  });

  it("end for everybody with the sign-out", async () => {
    const cookie = await signIn();
    const other = await signIn();
    const { status, cookies } = await browse(service, "DELETE", sessionPath, cookie);
    expect(status).toBe(204);
    expect(cookies).toEqual([
      "__Host-tidegate=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict",
      "tidegate_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict",
    ]);
    await using another = await start();
    expect([await statusOf(cookie), await statusOf(cookie, sessionPath, another)]).toEqual([401, 401]);
    expect(await statusOf(other)).toBe(200);
    expect((await browse(service, "DELETE", sessionPath, cookie)).status).toBe(204);
    expect((await browse(service, "DELETE", sessionPath)).status).toBe(204);
  });

  it("are accepted by other instances, and after a restart", async () => {
    const cookie = await signIn();
    await using another = await start();
    expect(await statusOf(cookie, sessionPath, another)).toBe(200);
  });

  it("end soon after the credential is revoked", async () => {
    const cookie = await signIn(issued.get("leaver"));
    await credentialsOn(store.documents).revoke("leaver", { by: "tester" });
    await until(async () => (await statusOf(cookie)) === 401, "the session is over");
  });

  it("are unknown if they were altered, made elsewhere, or expired", async () => {
    const cookie = await signIn();
    const [name, value = ""] = cookie.cookie.split("=");
    const altered = `${value.slice(0, -4)}${value.slice(-4) === "AAAA" ? "BBBB" : "AAAA"}`;
    expect(await statusOf({ cookie: `${name}=${altered}` })).toBe(401);
    await using elsewhere = await startService(rules(join(folder, "other.db")), { TIDEGATE_ADMIN_TOKEN: adminToken });
    expect(await statusOf(cookie, sessionPath, elsewhere)).toBe(401);
    vi.spyOn(Date, "now").mockReturnValue(Date.now() + 12 * 3_600_000);
    expect(await statusOf(cookie)).toBe(401);
    vi.restoreAllMocks();
    expect(await statusOf(cookie)).toBe(200);
  });

  it("yield to a credential in a header", async () => {
    const cookie = await signIn();
    expect((await browse(service, "GET", sessionPath, { ...cookie, ...bearer("wrong") })).status).toBe(401);
    const { body } = await browse(service, "GET", sessionPath, bearer(adminToken));
    expect(body).toMatchObject({ name: "admin", expiresAt: null });
  });

  it("end a stream of events at the next event", async () => {
    const cookie = await signIn();
    const stream = await fetch(`${service.url}/events/stream`, { headers: cookie });
    expect(stream.status).toBe(200);
    await browse(service, "DELETE", sessionPath, cookie);
    await fetch(service.url + featurePath, { method: "DELETE", headers: bearer(adminToken) });
    expect(await stream.text()).not.toContain("data:");
  });
});

it("a link of the first start signs in once, within 15 minutes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-link-"));
  const printed = vi.spyOn(console, "log").mockReturnValue();
  const yaml = `${rules(join(folder, "store.db"))}admin: { tokenFile: "${join(folder, "credential")}" }\n`;
  await using service = await startService(yaml);
  await using again = await startService(yaml);
  const links = printed.mock.calls.flatMap(([line]) => /^Sign in once, within 15 minutes: (.*)$/.exec(line)?.[1] ?? []);
  vi.restoreAllMocks();
  expect(links).toHaveLength(1);
  const { origin, pathname, search, hash } = new URL(links[0] ?? "");
  expect([origin, pathname, search]).toEqual([service.url, "/backoffice/", ""]);
  const link = hash.slice("#link=".length);

  vi.spyOn(Date, "now").mockReturnValue(Date.now() + 15 * 60_000);
  expect((await browse(service, "POST", sessionPath, {}, { link })).status).toBe(401);
  vi.restoreAllMocks();
  const answers = await Promise.all(
    [service, again, service].map((at) => browse(at, "POST", sessionPath, {}, { link })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 401, 401]);
  const cookie = sentBack(answers.find(({ status }) => status === 201)?.cookies ?? []);
  expect((await browse(again, "GET", sessionPath, cookie)).body).toMatchObject({ name: "admin", scope: "admin" });
  expect((await browse(again, "GET", sessionPath, { cookie: `tidegate_session=${link}` })).status).toBe(401);
  rmSync(folder, { recursive: true });
});

it("a link of the command line signs in", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-link-"));
  const config = join(folder, "tidegate.yaml");
  writeFileSync(config, `server: { basePath: /gate, port: 4711 }\n${rules(join(folder, "store.db"))}`);
  const env = { TIDEGATE_CONFIG: config, TIDEGATE_DATA: folder, TIDEGATE_ADMIN_TOKEN: adminToken };
  const { stdout, ...unheard } = await tidegate(["credentials", "link"], env);
  expect(unheard.stderr).toContain("no service answers at http://127.0.0.1:4711/gate; set PORT");
  const [, link = ""] = /^http:\/\/127\.0\.0\.1:4711\/gate\/backoffice\/#link=(\S+)\n$/.exec(stdout) ?? [];
  await using service = await startServiceOn(config, env);
  expect((await browse(service, "POST", sessionPath, {}, { link })).body).toMatchObject({ name: "admin" });
  expect((await browse(service, "POST", sessionPath, {}, { link })).status).toBe(401);
  const other = await tidegate(["credentials", "link", "--url", "https://gate.example/"], env);
  expect(other.stdout).toMatch(/^https:\/\/gate\.example\/backoffice\/#link=/);
  const { code, stderr } = await tidegate(["credentials", "link"], { ...env, TIDEGATE_ADMIN_TOKEN: "" });
  expect([code, stderr]).toEqual([1, expect.stringContaining("Set TIDEGATE_ADMIN_TOKEN")]);
  rmSync(folder, { recursive: true });
});

it("a configuration without a store has no sessions", async () => {
  const yaml = "sources: [{ name: everyone, kind: static, features: { feature_1: true } }]\n";
  await using service = await startService(yaml, { TIDEGATE_ADMIN_TOKEN: adminToken });
  const refused = await browse(service, "POST", sessionPath, {}, { credential: adminToken });
  expect([refused.status, refused.body.code]).toEqual([409, "not-changeable"]);
  expect((await browse(service, "DELETE", sessionPath)).status).toBe(204);
});
