#!/usr/bin/env node
import { reportFailure } from "./adapters/cli/report-failure.ts";
import { loadDotEnv } from "./load-dot-env.ts";
import { runCli } from "./run-cli.ts";

try {
  loadDotEnv(process.env);
  process.exitCode = await runCli(process.argv.slice(2), process);
} catch (error) {
  process.exitCode = reportFailure(error, process.stderr);
}
