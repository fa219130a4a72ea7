#!/usr/bin/env node
import { reportFailure } from "./adapters/cli/report-failure.ts";
import { loadDotEnv } from "./bootstrap/runtime/load-dot-env.ts";
import { runCli } from "./bootstrap/runtime/run-cli.ts";

try {
  loadDotEnv(process.env);
  process.exitCode = await runCli(process.argv.slice(2), process);
} catch (error) {
  process.exitCode = reportFailure(error, process.stderr);
}
