import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StartOptions } from "../../../src/bootstrap/runtime/service.ts";
import { stepStart, type UsageCount } from "../../../src/domain/usage/usage-store.ts";
import { openEventLog } from "../../../src/infrastructure/event-log/open-event-log.ts";
import { openSqlite } from "../../../src/infrastructure/sqlite/sqlite-connection.ts";
import { credentialsOn } from "../../support/credentials.ts";
import { bearer, startService, type TestService } from "../../support/service.ts";
import { type DemoFeature, demoCities, demoFeatures, demoUsers } from "./demo-features.ts";

/** A shop with each way to switch a feature on, in SQLite files of a folder. */
const shop = (folder: string, more: string) => `
connections:
  store: { kind: sqlite, file: "${folder}/store.db" }
  events: { kind: sqlite, file: "${folder}/events.db" }
tokens: { connection: store, layout: plain }
context: { attributes: any }
${more}
sources:
  - { name: global, kind: set, connection: store, key: global_features }
  - { name: active, kind: set, connection: store, key: active_features, role: gate }
  - { name: killed, kind: set, connection: store, key: "tidegate:killed", role: veto }
  - { name: user, kind: set, connection: store, key: "features:user:{userId}", gatedBy: [active] }
  - { name: location, kind: set, connection: store, key: "features:location:{location}", gatedBy: [active] }
  - { name: percentage, kind: percentage, connection: store }
  - { name: schedule, kind: schedule, connection: store }
`;

/** The people of the shop; each has a credential of their own. */
const people = {
  "marta.ibanez": "editor",
  "luca.ferri": "editor",
  "jonas.weber": "editor",
  "noa.levi": "viewer",
  "sofia.admin": "admin",
} as const;
export type Person = keyof typeof people;

/** A running shop and the credentials of its people. */
export type DemoShop = AsyncDisposable & {
  readonly service: TestService;
  /** Stops the service; the function that it returns starts it again, at the same address and with the same data. */
  readonly stop: () => Promise<() => Promise<void>>;
  readonly credentials: Readonly<Record<Person, string>>;
  /** Calls the API as a person; rejects unless it succeeds. Returns the body. */
  readonly call: (person: Person, method: string, path: string, body?: unknown) => Promise<unknown>;
};

export type ShopOptions = {
  /** YAML of further sections. */
  readonly more?: string;
  /** Whether it has no features. */
  readonly isEmpty?: boolean;
  /** Whether the changes were made during the last days, with evaluations since, instead of just now. */
  readonly isPast?: boolean;
  /** Default: a free port. */
  readonly port?: number;
  readonly options?: StartOptions;
};

/** Starts the shop. */
export async function startDemoShop({
  more = "",
  isEmpty = false,
  isPast = false,
  port = 0,
  options = {},
}: ShopOptions = {}): Promise<DemoShop> {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-shop-"));
  const credentials: Partial<Record<Person, string>> = {};
  const open = async () => {
    await using store = openSqlite("store", join(folder, "store.db"));
    for (const [name, scope] of Object.entries(people)) {
      credentials[name as Person] = await credentialsOn(store.documents).add(name, scope, undefined, { by: "set-up" });
    }
    return startService(shop(folder, more), { PORT: String(port) }, options);
  };
  let service = await ago(isPast ? 10 * day : 0, open);
  const { url } = service;
  const call = async (person: Person, method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        ...bearer(credentials[person] ?? ""),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 200 || answer.status === 201 ? answer.json() : undefined;
  };
  const steps = isEmpty ? [] : stocking(isPast ? byEach(call, onPage(url, credentials)) : call);
  for (const { age, run } of steps.toSorted((one, other) => other.age - one.age)) await ago(isPast ? age : 0, run);
  if (isPast) await use(url, join(folder, "events.db"));
  return {
    service,
    stop: async () => {
      await service[Symbol.asyncDispose]();
      return async () => {
        service = await startService(shop(folder, more), { PORT: new URL(url).port }, options);
      };
    },
    credentials: credentials as Record<Person, string>,
    call,
    [Symbol.asyncDispose]: async () => {
      await service[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** A change of the shop, at an age in milliseconds. */
type Step = { readonly age: number; readonly run: () => Promise<unknown> };

/** The changes that fill the shop, through the API, so that each has its author and event. */
function stocking(call: DemoShop["call"]): Step[] {
  const steps = demoFeatures.map(({ key, by, owner, tags, description, ...on }, index): Step => {
    const name = encodeURIComponent(key);
    const run = async () => {
      await call(by, "PUT", `/admin/v1/catalogue/${name}`, { description, owner, tags });
      if (on.everyone) await call(by, "PUT", `/admin/v1/sources/global/features/${name}`);
      if (on.active) await call(by, "PUT", `/admin/v1/sources/active/features/${name}`);
      for (const location of on.locations ?? []) {
        await call(by, "PUT", `/admin/v1/sources/location/features/${name}?location=${location}`);
      }
      if (on.percentage !== undefined) {
        await call(by, "PUT", `/admin/v1/sources/percentage/rules/${name}`, { percentage: on.percentage / 5 });
      }
      if (on.windows) await call(by, "PUT", `/admin/v1/sources/schedule/rules/${name}`, { windows: on.windows });
    };
    return { age: 9 * day - index * 7 * hour, run };
  });
  const users = demoUsers.map(({ id, features }) => ({ source: "user", context: { userId: id }, add: features }));
  const killed = demoFeatures.flatMap(({ key, killed: note }) => (note ? [{ key, note }] : []));
  const raised = demoFeatures.flatMap(({ key, percentage }) => (percentage === undefined ? [] : [{ key, percentage }]));
  return [
    ...steps,
    ...raised.map(({ key, percentage }, index) => ({
      age: (4 + index) * hour,
      run: () =>
        call("luca.ferri", "PUT", `/admin/v1/sources/percentage/rules/${encodeURIComponent(key)}`, { percentage }),
    })),
    {
      age: 2 * hour,
      run: () =>
        call("marta.ibanez", "POST", "/admin/v1/changes?note=Wave%204%20of%20the%20ES%20beta%20list", {
          changes: users,
        }),
    },
    ...[6, 30].map((hours) => ({
      age: hours * hour,
      run: () => call("sofia.admin", "POST", "/admin/v1/users/u-48213/tokens"),
    })),
    ...killed.map(({ key, note }) => ({
      age: 14 * minute,
      run: () =>
        call("jonas.weber", "PUT", `/admin/v1/killed/${encodeURIComponent(key)}?note=${encodeURIComponent(note)}`),
    })),
  ];
}

/** Some people use the page, and one of them has scripts. */
const byEach =
  (api: DemoShop["call"], page: DemoShop["call"]): DemoShop["call"] =>
  (person, ...call) =>
    (person === "jonas.weber" ? api : page)(person, ...call);

/** Calls the API as the page does, with a session of each person; another one after the clock has gone on. */
function onPage(url: string, credentials: Partial<Record<Person, string>>): DemoShop["call"] {
  const headers = { "content-type": "application/json", origin: url };
  const cookies = new Map<Person, string>();
  const signIn = async (person: Person) => {
    const request = { method: "POST", headers, body: JSON.stringify({ credential: credentials[person] }) };
    const { headers: answer } = await fetch(`${url}/admin/v1/session`, request);
    cookies.set(person, answer.get("set-cookie")?.split(";")[0] ?? "");
  };
  return async (person, method, path, body) => {
    const send = () => {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      return fetch(url + path, { method, headers: { ...headers, cookie: cookies.get(person) ?? "" }, ...sent });
    };
    let answer = await send();
    if (answer.status === 401) {
      await signIn(person);
      answer = await send();
    }
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
}

/**
 * The evaluations of the last day: more in the evening than at night, and some features much more than others. Those of
 * the last minutes are real requests, which the charts of the system show.
 */
async function use(url: string, file: string): Promise<void> {
  await using events = openEventLog({ kind: "sqlite", file });
  const now = Date.now();
  for (let hours = 23; hours >= 0; hours--) {
    const at = new Date(now - hours * hour);
    const time = at.getHours() + at.getMinutes() / 60;
    const counts = demoFeatures.flatMap((feature, index): UsageCount[] => {
      // Each feature has a day of its own: another peak, and another noise.
      const daily = 1 + 0.65 * Math.cos(((time - 20 + (index % 5)) / 24) * 2 * Math.PI);
      const noise = 1 + 0.12 * Math.sin(hours * (1.7 + index));
      const count = Math.round((84_000 / (1 + ((index * 13) % 25)) ** 1.2) * daily * noise);
      const on = Math.round(count * partOf(feature, hours));
      const of = { feature: feature.key, via: "response" } as const;
      return [
        { ...of, on: true, count: on },
        { ...of, on: false, count: count - on },
      ];
    });
    await events.usage.add(
      stepStart(now - hours * hour, "minute"),
      counts.filter(({ count }) => count > 0),
    );
  }
  const cities = demoCities.flatMap((city) => Array.from({ length: 80 }, () => city));
  await Promise.all(cities.map((city) => fetch(`${url}/features?location=${city}`)));
}

/** The part of the callers for whom a feature was on. */
function partOf({ everyone, percentage = 0, active, locations, killed, windows }: DemoFeature, hours: number): number {
  if (everyone) return killed !== undefined && hours === 0 ? 0.6 : 1;
  if (windows) return 0;
  return percentage / 100 + (active ? 0.08 : 0) + (locations ? 0.12 : 0);
}

/** Runs something with the clock of this process set back, in milliseconds. */
async function ago<Result>(age: number, run: () => Promise<Result>): Promise<Result> {
  const { now } = Date;
  try {
    Date.now = () => now() - age;
    return await run();
  } finally {
    Date.now = now;
  }
}
