import { answerInTime, bearer, isInTime, startService, type TestService } from "./service.ts";
import { firstResult } from "./until.ts";

/** The credential of the operator in these tests. */
export const adminToken = "the-operators-credential";

const sources = `
sources:
  - { name: global, kind: set, connection: features, key: global_features, maxMembers: 100 }
  - { name: active, kind: set, connection: features, key: active_features, role: gate }
  - { name: killed, kind: set, connection: features, key: "tidegate:killed", role: veto }
  - { name: user, kind: set, connection: features, key: "features:user:{userId}", gatedBy: [active] }
  - { name: location, kind: set, connection: features, key: "location:{location}" }
  - { name: literal, kind: static, features: { always: true, never: false } }
`;

/** Everything in one SQLite file. */
export const sqliteRules = `
connections:
  users: { kind: sqlite, file: "\${FOLDER}/store.db" }
  features: { kind: sqlite, file: "\${FOLDER}/store.db" }
tokens: { connection: users, layout: plain }
${sources}`;

/** The same over one Redis. */
export const redisRulesAt = (url: string): string => `
connections:
  users: { kind: redis, url: "${url}" }
  features: { kind: redis, url: "${url}" }
tokens: { connection: users, layout: plain }
${sources}`;

/** A response: its status, body and relevant headers. */
export type Answered = {
  readonly status: number;
  readonly body: ReturnType<typeof JSON.parse>;
  readonly etag: string | null;
  readonly headers: Headers;
};

/** An operator: calls of the admin API. */
export type Operator = {
  readonly service: TestService;
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Answered>;
  readonly put: (path: string, headers?: Record<string, string>, body?: unknown) => Promise<Answered>;
  readonly post: (path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answered>;
  readonly delete: (path: string, headers?: Record<string, string>) => Promise<Answered>;
  /** The features of a client; those for everyone without a token. */
  readonly features: (token?: string, query?: string) => Promise<readonly string[]>;
  /** The same, once no slow store affects them. */
  readonly current: Operator["features"];
};

/** An operator of a service. Paths are relative to `/admin/v1`. */
export function operatorOf(service: TestService, token = adminToken): Operator {
  const call = async (method: string, path: string, headers: Record<string, string> = {}, body?: unknown) => {
    const answer = await fetch(`${service.url}/admin/v1${path}`, {
      method,
      headers: { ...bearer(token), ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      body: text && JSON.parse(text),
      etag: answer.headers.get("etag"),
      headers: answer.headers,
    };
  };
  const headersOf = (clientToken?: string) => (clientToken === undefined ? {} : bearer(clientToken));
  const featuresIn = async (answer: Promise<Response>) =>
    ((await (await answer).json()) as { active_features: readonly string[] }).active_features;
  return {
    service,
    get: (path, headers) => call("GET", path, headers),
    put: (path, headers, body) => call("PUT", path, headers, body),
    post: (path, body, headers) => call("POST", path, headers, body),
    delete: (path, headers) => call("DELETE", path, headers),
    features: (clientToken, query = "") => featuresIn(service.get(`/features${query}`, headersOf(clientToken))),
    current: (clientToken, query = "") =>
      featuresIn(answerInTime(service, `/features${query}`, headersOf(clientToken))),
  };
}

/** Starts a service with these rules, and an operator of it. */
export async function startOperator(rules: string, env: NodeJS.ProcessEnv = {}): Promise<Operator & AsyncDisposable> {
  const service = await startService(rules, { TIDEGATE_ADMIN_TOKEN: adminToken, ...env });
  return { ...operatorOf(service), [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() };
}

/** Whether each store accepts changes, once the service is ready and its stores have responded, which may be late. */
export async function changesOf({ service }: Operator): Promise<Record<string, object>> {
  type Ready = { status: string; changes?: Record<string, object> };
  const { changes = {} } = await firstResult(
    async () => (await service.get("/health/ready", bearer(adminToken))).json() as Promise<Ready>,
    ({ status, changes }) => status === "ready" && changes !== undefined && !/"unknown"/.test(JSON.stringify(changes)),
    "the stores respond",
  );
  return changes;
}

/** The first response of a call to which a store is available, which it may not be on a busy machine. */
export const available = (call: () => Promise<Answered>): Promise<Answered> =>
  firstResult(call, ({ body }) => body.code !== "source-unavailable", "the store is available to a call");

/** The first one that no slow store affects: no source in it has an error either. */
export const answeredInTime = (call: () => Promise<Answered>): Promise<Answered> =>
  firstResult(
    call,
    (answer) => isInTime(answer) && !answer.body.sources?.some(({ error }: { error?: unknown }) => error),
    "the stores answer in time",
  );
