import { readFileSync, writeFileSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bearer, Client } from "../client.ts";
import { cacheForAnHour, everyUser, startFilledRedis, startTidegate } from "../contestants/tidegate.ts";
import { tokenOf, userCount } from "../data.ts";
import type { Server } from "../process.ts";
import { rounds } from "../rounds.ts";
import { everDifferent, load } from "../wrk.ts";

/** Calls that differ by what the client claims, each one new. `#` is a number. */
const claims = {
  token: { path: "/features", headers: bearer("unknown-#") },
  location: { path: "/features?location=a/b/c/d/e/f/g/#", headers: {} },
  "client id": { path: "/features", headers: { "Tidegate-Client-Id": "client-#" } },
  attribute: { path: "/features?country=c#", headers: {} },
} as const;
const claimed = 100_000;
const connections = 16;

/** What calls with ever different claims cost others. */
export type Claims = {
  /** Milliseconds below which 99 of 100 hits are, a figure a round: alone, and beside as many calls with locations. */
  readonly alone: readonly number[];
  readonly beside: readonly number[];
  /** Resident bytes after 100,000 distinct claims of one kind, then of the next. */
  readonly resident: readonly { readonly kind: string; readonly bytes: number }[];
};

/** The seed's sources, two of locations, a percentage and a flagd rule. */
const more = `
  - { name: place, kind: set, connection: features, key: "location:{location}" }
  - { name: offer, kind: set, connection: features, key: "offer:{location}" }
  - { name: share, kind: percentage, connection: features, role: gate, default: allow }
  - name: rule
    kind: flagd
    definitions:
      flags:
        by_country:
          state: ENABLED
          variants: { on: true, off: false }
          defaultVariant: "off"
          targeting: { if: [{ "==": [{ var: country }, ES] }, "on"] }
context: { attributes: { country: { query: country } } }
`;

export async function claimsOfClients(): Promise<Claims> {
  await using opened = new AsyncDisposableStack();
  const redis = await startFilledRedis(opened);
  const folder = opened.use(await mkdtempDisposable(join(tmpdir(), "tidegate-claims-"))).path;
  const file = join(folder, "claims.yaml");
  writeFileSync(file, readFileSync(resolve(import.meta.dirname, "../../config/tidegate.yaml"), "utf8") + more);
  const start = () => startTidegate(opened, redis, { env: { ...cacheForAnHour, TIDEGATE_CONFIG: file } });
  return { ...(await latencies(await start())), resident: await resident(await start()) };
}

/** Hits alone and beside calls with locations, in turn. */
async function latencies({ url }: Server): Promise<Pick<Claims, "alone" | "beside">> {
  const hits = everyUser();
  using client = new Client();
  // The responses of second calls are remembered.
  for (let call = 0; call < 2; call++) await client.askForEach(url, userCount);
  const [alone, beside]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    alone.push((await load(url, connections, 2, hits)).p99);
    const churn = load(url, connections, 4, everDifferent(claims.location, round * 1_000_000));
    beside.push((await load(url, connections, 2, hits)).p99);
    await churn;
  }
  return { alone, beside };
}

async function resident({ url, process: started }: Server): Promise<Claims["resident"]> {
  using client = new Client();
  await client.ask(url, bearer(tokenOf(0)));
  const found: { kind: string; bytes: number }[] = [];
  for (const [kind, call] of Object.entries(claims)) {
    for (let sent = 0; sent < claimed; ) sent += (await load(url, 32, 3, everDifferent(call, sent))).calls;
    found.push({ kind, bytes: started.residentBytes() });
  }
  return found;
}
