import { defineConfig } from "vitest/config";

const report = process.env["VITEST_JSON"];

export default defineConfig({
  test: {
    globalSetup: ["test/support/redis-setup.ts", "test/support/postgres-setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: "all", include: ["test/**/*.test.ts"] } },
      // What HTTP promises must not depend on which way a call takes.
      {
        extends: true,
        test: { name: "without the shortcut", include: ["test/adapters/http/**/*.test.ts"], env: { SHORTCUT: "off" } },
      },
    ],
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
  },
});
