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

/** Starts the shop. `more` is YAML of further sections; without features it is empty. */
export async function startDemoShop({
  more = "",
  isEmpty = false,
  options = {},
}: {
  readonly more?: string;
  readonly isEmpty?: boolean;
  readonly options?: StartOptions;
} = {}): Promise<DemoShop> {
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
    return answer.json();
  };
  if (!isEmpty) await stock(call);
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

/** Fills the shop through the API, so that each change has its author and event. */
async function stock(call: DemoShop["call"]): Promise<void> {
  for (const { key, by, owner, tags, description, ...on } of demoFeatures) {
    const name = encodeURIComponent(key);
    await call(by, "PUT", `/admin/v1/catalogue/${name}`, { description, owner, tags });
    if (on.everyone) await call(by, "PUT", `/admin/v1/sources/global/features/${name}`);
    if (on.active) await call(by, "PUT", `/admin/v1/sources/active/features/${name}`);
    for (const location of on.locations ?? []) {
      await call(by, "PUT", `/admin/v1/sources/location/features/${name}?location=${location}`);
    }
    if (on.percentage !== undefined) {
      await call(by, "PUT", `/admin/v1/sources/percentage/rules/${name}`, { percentage: on.percentage });
    }
    if (on.windows) await call(by, "PUT", `/admin/v1/sources/schedule/rules/${name}`, { windows: on.windows });
    if (on.killed) await call("jonas.weber", "PUT", `/admin/v1/killed/${name}?note=${encodeURIComponent(on.killed)}`);
  }
  const changes = demoUsers.map(({ id, features }) => ({ source: "user", context: { userId: id }, add: features }));
  await call("marta.ibanez", "POST", "/admin/v1/changes?note=Wave%204%20of%20the%20ES%20beta%20list", { changes });
}
