import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { resolve } from "node:path";
import { type ImportFigures, importing } from "./changes/import.ts";
import { type AllCores, allCores } from "./measurements/all-cores.ts";
import { type Claims, claimsOfClients } from "./measurements/claims.ts";
import { type FlagdCost, flagdCost } from "./measurements/flagd-rules.ts";
import { type FlatCost, flatCost } from "./measurements/flat-cost.ts";
import { type KillSwitch, killSwitch } from "./measurements/kill-switch.ts";
import { type Memory, memory } from "./measurements/memory.ts";
import { type Peers, peers } from "./measurements/peers.ts";
import { type Rates, rates } from "./measurements/rates.ts";
import { type RoundTrips, roundTrips } from "./measurements/round-trips.ts";
import { type StartUp, startUp } from "./measurements/start-up.ts";

/** The conditions of a measurement. */
type About = {
  readonly date: string;
  readonly seconds: number;
  /** The number of runnable processes in the minute before. */
  readonly loadBefore: number;
  /** The commit, and whether the work tree was clean. */
  readonly commit: string;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
};

export type Results = {
  readonly rates: Rates;
  readonly allCores: AllCores;
  readonly peers: Peers;
  readonly roundTrips: RoundTrips;
  readonly memory: Memory;
  readonly flatCost: FlatCost;
  readonly startUp: StartUp;
  readonly killSwitch: KillSwitch;
  readonly claims: Claims;
  readonly flagd: FlagdCost;
  readonly importing: ImportFigures;
};
export type Part = keyof Results;
export type Measured = { readonly [P in Part]: { readonly about: About; readonly result: Results[P] } };

/** The parts, in this order. */
export const measurements: { readonly [P in Part]: () => Promise<Results[P]> } = {
  roundTrips,
  startUp,
  killSwitch,
  flagd: flagdCost,
  importing: () => importing(Number(process.env["IMPORT_USERS"] ?? 300_000)),
  memory,
  claims: claimsOfClients,
  flatCost,
  rates,
  allCores,
  peers,
};
export const parts = Object.keys(measurements) as Part[];

// Quick results must not get into the page.
const folder = resolve(import.meta.dirname, process.env["QUICK"] ? "results/quick" : "results");
const fileOf = (part: Part): string => resolve(folder, `${part}.json`);

/** Measures a part, and saves the result. */
export async function measure(part: Part): Promise<void> {
  const [date, commit, before] = [new Date().toISOString().slice(0, 16), commitHere(), performance.now()];
  const loadBefore = loadavg()[0] ?? Number.NaN;
  const result = await measurements[part]();
  const seconds = Math.round((performance.now() - before) / 1_000);
  const about: About = { date, seconds, loadBefore, commit, machine: machine(), versions: versions() };
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileOf(part), JSON.stringify({ about, result }));
}

/** The last result of every part; or the parts without one. */
export function lastMeasured(): Measured | readonly Part[] {
  const found: [Part, unknown][] = [];
  const missing: Part[] = [];
  for (const part of parts) {
    try {
      found.push([part, JSON.parse(readFileSync(fileOf(part), "utf8"))]);
    } catch {
      missing.push(part);
    }
  }
  return missing.length > 0 ? missing : (Object.fromEntries(found) as Measured);
}

const output = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: "utf8" }).trim();

function commitHere(): string {
  const sources = ["src", "config", "bench", "package-lock.json"];
  const differs = output("git", "status", "--porcelain", "--", ...sources) !== "";
  return `${output("git", "rev-parse", "--short=10", "HEAD")}${differs ? ", with changes" : ""}`;
}

const machine = (): string =>
  `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`;

function versions(): Record<string, string> {
  return {
    Node: process.versions.node,
    Redis: version("redis-server", "--version"),
    wrk: version("wrk", "--version"),
    Hono: packageVersion("../node_modules/hono"),
    "Debian's gunicorn": version("/usr/bin/python3", "-m", "gunicorn", "--version"),
    "Debian's Flask": version("/usr/bin/python3", "-c", "import importlib.metadata as m; print(m.version('flask'))"),
    Unleash: packageVersion("node_modules/unleash-server"),
    PostgreSQL: version("postgres", "--version"),
    flagd: version("flagd", "version"),
  };
}

function version(command: string, ...args: string[]): string {
  try {
    return /\d+(\.\d+)+/.exec(output(command, ...args))?.[0] ?? "unknown";
  } catch (error) {
    // wrk prints its version, and exits with an error.
    const { stdout = "" } = error as { stdout?: string };
    return /\d+(\.\d+)+/.exec(stdout)?.[0] ?? "not here";
  }
}

function packageVersion(path: string): string {
  try {
    return JSON.parse(readFileSync(resolve(import.meta.dirname, path, "package.json"), "utf8")).version;
  } catch {
    return "not here";
  }
}
