#!/usr/bin/env node
import { exec } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs, promisify } from "node:util";
import { Violation } from "./check.ts";
import { cucumberOf } from "./reports/cucumber.ts";
import { junitOf } from "./reports/junit.ts";
import { summaryOf, textOf } from "./reports/text.ts";
import { runChecks } from "./run-checks.ts";
import { Server } from "./server.ts";

const usage = `Usage: ofrep-conformance <url> [options]

Checks that a server follows OFREP 0.3.0 as published clients need it. The URL is the one that clients get.

  --token <token>            credential; OFREP_TOKEN if omitted
  --context <json>           evaluation context (default: {"targetingKey":"ofrep-conformance"})
  --other-context <json>     context for which at least one flag differs
  --change <command>         shell command that changes a flag for the context
  --undo <command>           shell command that changes it back
  --origin <origin>          origin of a web page (default: https://app.example)
  --streams <number>         event streams to open at most (default: 25)
  --timeout <milliseconds>   time limit of a response or event (default: 5000)
  --strict                   a violated "should" fails
  --junit <file>             write JUnit XML
  --cucumber <file>          write Cucumber Messages (NDJSON)
  --help, --version

Exit codes: 0 no failure, 1 a check failed, 2 invalid arguments, 3 the server does not evaluate flags.`;

class UsageError extends Error {}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) console.error(`${error.message}; see --help`);
  else console.error(error instanceof Violation ? `the server evaluates no flags: ${error.message}` : error);
  process.exitCode = error instanceof UsageError ? 2 : 3;
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsed(args);
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  if (values.help) return print(usage);
  if (values.version) return print(version);
  const [url, ...others] = positionals;
  if (url === undefined || others.length > 0) throw new UsageError("give one URL");
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) throw new UsageError(`"${url}" is not an http or https URL`);
  const options = {
    url: url.replace(/\/$/, ""),
    token: values.token ?? process.env["OFREP_TOKEN"],
    context: contextIn(values.context, "--context"),
    otherContext:
      values["other-context"] === undefined ? undefined : contextIn(values["other-context"], "--other-context"),
    change: commandIn(values.change),
    undo: commandIn(values.undo),
    origin: values.origin,
    streams: numberIn(values.streams, "--streams"),
    timeoutMs: numberIn(values.timeout, "--timeout"),
  };
  await new Server(options).evaluateAll();
  const startedAt = new Date();
  const results = await runChecks(options, values.strict, (result) => console.log(textOf(result)));
  console.log(summaryOf(results));
  if (values.junit !== undefined) writeFileSync(values.junit, junitOf(results));
  if (values.cucumber !== undefined) writeFileSync(values.cucumber, cucumberOf(results, startedAt, version));
  return results.some(({ outcome }) => outcome === "failed") ? 1 : 0;
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        token: { type: "string" },
        context: { type: "string", default: '{"targetingKey":"ofrep-conformance"}' },
        "other-context": { type: "string" },
        change: { type: "string" },
        undo: { type: "string" },
        origin: { type: "string", default: "https://app.example" },
        streams: { type: "string", default: "25" },
        timeout: { type: "string", default: "5000" },
        strict: { type: "boolean", default: false },
        junit: { type: "string" },
        cucumber: { type: "string" },
        help: { type: "boolean", default: false },
        version: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function contextIn(text: string, option: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Reported below.
  }
  throw new UsageError(`${option} is not a JSON object`);
}

function commandIn(command: string | undefined) {
  return command === undefined ? undefined : async () => void (await promisify(exec)(command));
}

function numberIn(text: string, option: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new UsageError(`${option} is not a positive integer`);
}

function print(text: string): number {
  console.log(text);
  return 0;
}
