import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { loadDotEnv } from "../../../src/bootstrap/runtime/load-dot-env.ts";

const folder = mkdtempSync(join(tmpdir(), "tidegate-env-"));
afterAll(() => rmSync(folder, { recursive: true }));

const loaded = (text: string, env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => {
  writeFileSync(join(folder, ".env"), text);
  loadDotEnv(env, folder);
  return env;
};

describe("the file .env", () => {
  it("adds variables, except those that are set, even to an empty value", () => {
    const text = `\ufeffPORT=5001\n# a comment\nHOST = "127.0.0.1"\nexport LOG_LEVEL='warn'\n`;
    expect(loaded(text)).toEqual({ PORT: "5001", HOST: "127.0.0.1", LOG_LEVEL: "warn" });
    expect(loaded(text, { PORT: "6000", HOST: "" })).toEqual({ PORT: "6000", HOST: "", LOG_LEVEL: "warn" });
  });

  it("may be missing, and is an error if it is not readable", () => {
    const env = {};
    loadDotEnv(env, join(folder, "nowhere"));
    expect(env).toEqual({});
    const other = join(folder, "other");
    mkdirSync(join(other, ".env"), { recursive: true });
    expect(() => loadDotEnv(env, other)).toThrow(/^cannot read .*other\/\.env: EISDIR.*; make it readable/);
  });

  it.each(["src/cli.ts", "src/main.ts"])("is read by %s", async (entry) => {
    writeFileSync(join(folder, ".env"), `TIDEGATE_CONFIG=named-in-env.yaml\n`);
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    const env = { PATH, NODE_COMPILE_CACHE };
    const run = promisify(execFile)(
      process.execPath,
      [resolve(entry), ...(entry === "src/cli.ts" ? ["validate"] : [])],
      {
        cwd: folder,
        env,
      },
    );
    await expect(run).rejects.toMatchObject({ code: 78, stderr: expect.stringContaining("named-in-env.yaml") });
  });
});
