import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StartOptions } from "../../../src/bootstrap/runtime/serve.ts";
import { openSqlite } from "../../../src/infrastructure/sqlite/sqlite-connection.ts";
import { credentialsOn } from "../../support/credentials.ts";
import { bearer, startService, type TestService } from "../../support/service.ts";
import { demoFeatures, demoUsers } from "./demo-features.ts";

/** A shop with each way to switch a feature on, in one SQLite file. */
const shop = (file: string, more: string) => `
connections: { store: { kind: sqlite, file: "${file}" } }
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
  readonly options?: StartOptions;
};

/** Starts the shop. */
export async function startDemoShop({
  more = "",
  isEmpty = false,
  isPast = false,
  options = {},
}: ShopOptions = {}): Promise<DemoShop> {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-shop-"));
  const file = join(folder, "store.db");
  const credentials: Partial<Record<Person, string>> = {};
  {
    await using store = openSqlite("store", file);
    for (const [name, scope] of Object.entries(people)) {
      credentials[name as Person] = await credentialsOn(store.documents).add(name, scope, undefined, { by: "set-up" });
    }
  }
  let service = await startService(shop(file, more), {}, options);
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
  if (!isEmpty) await run([...stocking(call), ...(isPast ? evaluating(call, url) : [])], isPast);
  return {
    service,
    stop: async () => {
      await service[Symbol.asyncDispose]();
      return async () => {
        service = await startService(shop(file, more), { PORT: new URL(url).port }, options);
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
    ...killed.map(({ key, note }) => ({
      age: 14 * minute,
      run: () =>
        call("jonas.weber", "PUT", `/admin/v1/killed/${encodeURIComponent(key)}?note=${encodeURIComponent(note)}`),
    })),
  ];
}

/** The evaluations of the last day: more in the evening than at night. */
function evaluating(call: DemoShop["call"], url: string): Step[] {
  const issued = call("sofia.admin", "POST", "/admin/v1/users/u-48213/tokens") as Promise<{ readonly token: string }>;
  // Reading the counts writes what was counted before under its own time.
  const flush = () => call("noa.levi", "POST", "/admin/v1/usage", { features: ["checkout.express-pay"] });
  const evaluate = async (calls: number) => {
    await flush();
    const { token } = await issued;
    const someone = () => fetch(`${url}/features?location=es`);
    const user = () => fetch(`${url}/features?location=es`, { headers: bearer(token) });
    const request = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
    const flag = (key: string) => fetch(`${url}/ofrep/v1/evaluate/flags/${key}`, request);
    await Promise.all(Array.from({ length: calls }, (_, index) => (index % 3 === 0 ? user() : someone())));
    // Servers ask for some features more often than for others.
    for (const [index, { key }] of demoFeatures.entries()) {
      await Promise.all(Array.from({ length: Math.round(calls * 0.3 * 0.8 ** index) }, () => flag(key)));
    }
    await flush();
  };
  return Array.from({ length: 24 }, (_, hours) => ({
    age: hours * hour + minute,
    run: () =>
      evaluate(Math.round(24 + 20 * Math.sin(((24 - hours - 4) / 24) * 2 * Math.PI) + 4 * Math.sin(hours * 5))),
  }));
}

/** Runs steps in order; `isPast`: the clock of this process goes back to the age of each. */
async function run(steps: readonly Step[], isPast: boolean): Promise<void> {
  const { now } = Date;
  try {
    for (const step of steps.toSorted((one, other) => other.age - one.age)) {
      if (isPast) Date.now = () => now() - step.age;
      await step.run();
    }
  } finally {
    Date.now = now;
  }
}
