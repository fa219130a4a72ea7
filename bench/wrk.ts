import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** What one run of the load generator saw. Latencies in milliseconds. */
export type Load = { readonly perSecond: number; readonly p50: number; readonly p99: number };

/** A script for wrk that sends the given headers in turn, one set a request. */
export function rotating(headers: readonly Readonly<Record<string, string>>[]): string {
  const requests = headers.map((each) => {
    const fields = Object.entries(each).map(([name, value]) => `[${JSON.stringify(name)}]=${JSON.stringify(value)}`);
    return `{${fields.join(",")}}`;
  });
  const file = join(mkdtempSync(join(tmpdir(), "tidegate-bench-")), "rotate.lua");
  writeFileSync(
    file,
    `local headers = {${requests.join(",\n")}}
local prepared, next = {}, 0
function init()
  for index, each in ipairs(headers) do prepared[index] = wrk.format("GET", "/features", each) end
end
function request()
  next = next % #prepared + 1
  return prepared[next]
end
`,
  );
  return file;
}

const unit: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000 };

/** Loads a URL for some seconds from processor 1. Rejects when any call failed. */
export async function load(url: string, connections: number, seconds: number, script: string): Promise<Load> {
  const args = ["-c", "1", "wrk", "-t1", `-c${connections}`, `-d${seconds}s`, "--latency", "-s", script, url];
  const { stdout } = await promisify(execFile)("taskset", args);
  if (/Non-2xx|Socket errors/.test(stdout) && !/Non-2xx or 3xx responses: 0/.test(stdout)) {
    throw new Error(`calls failed:\n${stdout}`);
  }
  const latency = (percent: string): number => {
    const [, value, suffix = "ms"] = new RegExp(`${percent}%\\s+([\\d.]+)(us|ms|s)`).exec(stdout) ?? [];
    return Number(value) * (unit[suffix] ?? Number.NaN);
  };
  return { perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]), p50: latency("50"), p99: latency("99") };
}
