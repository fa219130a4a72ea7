import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longest-first.ts";
import { SlowFiles } from "./test/support/slow-files.ts";

const report = process.env["VITEST_JSON"];
const files = {
  testTimeout: 180_000,
  hookTimeout: 180_000,
  expect: { poll: { timeout: 60_000 } },
  // Files share the modules of their worker: to load them for each file would take longer than most files do.
  isolate: false,
  // CI repeats a failed test once and prints it: such a test depends on timing, and is to be fixed.
  retry: Number(process.env["TEST_RETRIES"] ?? 0),
  pool: "threads",
} as const;

export default defineConfig({
  test: {
    // Once for all projects.
    globalSetup: ["temporary-folder", "redis-setup", "postgres-setup", "chromium-setup"].map(
      (name) => `test/support/${name}.ts`,
    ),
    // Most files wait for something else most of the time.
    maxWorkers: 2 * availableParallelism(),
    sequence: { sequencer: LongestFirst },
    // On a busy machine a worker may need longer than 10 s to end.
    teardownTimeout: 60_000,
    projects: [
      { test: { ...files, name: "all", include: ["test/**/*.test.ts"], exclude: ["test/soak/**"] } },
      { test: { ...files, name: "soak", include: ["test/soak/*.test.ts"] } },
    ],
    reporters: ["default", new SlowFiles(), ...(report ? [["json", { outputFile: report }] as ["json", object]] : [])],
  },
});
