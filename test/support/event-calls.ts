import { expect } from "vitest";
import { bearer, redisRules, type TestService } from "./service.ts";

/** The credential of the services here. */
export const admin = "the-operators-credential";

/** A configuration with the embedded event log. */
export const embeddedLog = `
connections:
  store: { kind: sqlite, file: "\${FOLDER}/store.db" }
  events: { kind: sqlite, file: "\${FOLDER}/events.db" }
sources:
  - { name: global, kind: set, connection: store, key: global_features }
`;

/** The example of the replaced activity service. */
export const order = {
  component: "order",
  data: { age: 20 },
  email: "ade@gmail.com",
  environment: "production",
  message: "order failed",
};

/** An event in a response. */
export type Shown = typeof order & {
  id: string;
  created_at: string;
  time: string;
  recorded_by: string;
  position: number;
  hash: string;
  store?: string;
  key?: string;
  revision?: string;
};

export type Page = { events: Shown[]; next?: string };

/** Posts a body as an event. */
export const send = (
  service: Pick<TestService, "url">,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
  path = "/events",
): Promise<Response> =>
  fetch(service.url + path, {
    method: "POST",
    body,
    headers: { ...bearer(admin), "content-type": "application/json", ...headers },
  });

/** Records an event. */
export async function postEvent(
  service: Pick<TestService, "url">,
  event: object,
  headers?: Record<string, string>,
  path?: string,
): Promise<Shown> {
  const response = await send(service, JSON.stringify(event), headers, path);
  const text = await response.text();
  expect([response.status, text]).toEqual([201, expect.any(String)]);
  return JSON.parse(text);
}

/** Sends a request as an operator. */
export const ask = (service: TestService, path: string, headers: Record<string, string> = {}): Promise<Response> =>
  service.get(path, { ...bearer(admin), ...headers });

/** The events for a query. */
export async function find(service: TestService, path: string): Promise<Page> {
  const response = await ask(service, path);
  expect([path, response.status]).toEqual([path, 200]);
  return (await response.json()) as Page;
}

/** A configuration with the event log in PostgreSQL and stores in Redis. */
export const logBesideRedis = (postgresUrl: string, redisUrl: string): string =>
  redisRules(redisUrl, redisUrl).replace("tokens:", `  events: { kind: postgres, url: "${postgresUrl}" }\ntokens:`);
