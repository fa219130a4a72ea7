import { defineConfig } from "vitest/config";

const report = process.env["VITEST_JSON"];
const limits = { testTimeout: 60_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    // Once for all projects.
    globalSetup: ["test/support/redis-setup.ts", "test/support/postgres-setup.ts"],
    projects: [
      { test: { ...limits, name: "all", include: ["test/**/*.test.ts"] } },
      // What HTTP promises clients must not depend on which way a call takes. Operators' calls know one way only.
      {
        test: {
          ...limits,
          name: "without the shortcut",
          include: ["test/adapters/http/*.test.ts"],
          exclude: ["test/adapters/http/event*.test.ts"],
          env: { SHORTCUT: "off" },
        },
      },
    ],
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
  },
});
