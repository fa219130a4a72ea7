import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { interrupted } from "./interruption.ts";

/** The result of one run of the load generator. Latencies in milliseconds. */
export type Load = {
  readonly calls: number;
  /** Requests with an error, a late response, or none. */
  readonly failed: number;
  /** The part of these with a response of another status than 2xx and 3xx. */
  readonly rejected: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
};

/** The request: a target, headers, and a body if it is a POST. */
export type Call = {
  readonly path?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};

const methodOf = ({ body }: Call): string => (body === undefined ? "GET" : "POST");

const folder = mkdtempSync(join(tmpdir(), "tidegate-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
let scripts = 0;

/** A script for wrk that sends the given requests in turn. */
export function rotating(calls: readonly Call[]): string {
  const quoted = calls.map((call) => {
    const { path = "/features", headers, body } = call;
    const fields = Object.entries(headers).map(([name, value]) => `[${JSON.stringify(name)}]=${JSON.stringify(value)}`);
    const last = body === undefined ? "" : `,${JSON.stringify(body)}`;
    return `{"${methodOf(call)}",${JSON.stringify(path)},{${fields.join(",")}}${last}}`;
  });
  return script(`local calls = {${quoted.join(",\n")}}
local prepared, next = {}, 0
function init()
  for index, each in ipairs(calls) do prepared[index] = wrk.format(unpack(each)) end
end
function request()
  next = next % #prepared + 1
  return prepared[next]
end
`);
}

/** A script for wrk that requests the users of a store in long strides, so that it repeats none soon. */
export function striding(users: number): string {
  return script(`local user = 0
function request()
  user = (user + 7919) % ${users}
  local token = string.format("Bearer token-%08d-0123456789abcdef", user)
  return wrk.format("GET", "/features", { Authorization = token })
end
`);
}

/**
 * A script for wrk that sends ever different calls: `#` in the call stands for a number, which starts above `start`.
 * Without `start`, each run of the script has numbers of its own.
 */
export function everDifferent(call: Call, start?: number): string {
  const { path = "/features", headers, body } = call;
  const text = (value: string) => `(${JSON.stringify(value)}):gsub("#", next, 1)`;
  const fields = Object.entries(headers).map(([name, value]) => `headers[${JSON.stringify(name)}] = ${text(value)}`);
  return script(`local next, headers = ${start ?? "os.time() % 1000000 * 100000"}, {}
function request()
  next = next + 1
  ${fields.join("\n  ")}
  local path = ${text(path)}
  local body = ${body === undefined ? "nil" : text(body)}
  return wrk.format("${methodOf(call)}", path, headers, body)
end
`);
}

function script(text: string): string {
  scripts += 1;
  const file = join(folder, `${scripts}.lua`);
  writeFileSync(file, text);
  return file;
}

const unit: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000 };

/** Loads a URL for some seconds, from one thread. */
export async function load(url: string, connections: number, seconds: number, script: string): Promise<Load> {
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "--latency", "-s", script, url];
  const { stdout } = await promisify(execFile)("wrk", args, { signal: interrupted });
  const number = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1]);
  const latency = (percent: string): number => {
    const [, value, suffix = "ms"] = new RegExp(`${percent}%\\s+([\\d.]+)(us|ms|s)`).exec(stdout) ?? [];
    return Number(value) * (unit[suffix] ?? Number.NaN);
  };
  const rejected = number(/Non-2xx or 3xx responses: (\d+)/) || 0;
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout)?.slice(1) ?? [];
  return {
    calls: number(/(\d+) requests in/),
    failed: errors.reduce((sum, each) => sum + Number(each), rejected),
    rejected,
    perSecond: number(/Requests\/sec:\s+([\d.]+)/),
    p50: latency("50"),
    p99: latency("99"),
  };
}
