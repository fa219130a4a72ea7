import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { TestProcess } from "./support/process.ts";

const folder = mkdtempSync(join(tmpdir(), "tidegate-cli-process-"));
afterAll(() => rmSync(folder, { recursive: true }));
const env = { TIDEGATE_DATA: join(folder, "data") };

describe("a command as a process", () => {
  it.each([[["explain", "feature_1"]], [["activity", "head"]]])(
    "exits within 300 ms of its last output: %j",
    async (args) => {
      const delays: number[] = [];
      // A busy machine may hold up one exit, but not five.
      while (delays.length < 5 && !delays.some((delay) => delay <= 300)) {
        await using command = new TestProcess(["src/cli.ts", ...args], env);
        expect(await command.exit()).toBe(0);
        delays.push(command.exitedAt - command.lastOutputAt);
      }
      expect(Math.min(...delays)).toBeLessThanOrEqual(300);
    },
  );
});
