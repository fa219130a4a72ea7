import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { inherited } from "../../support/process.ts";
import { rules } from "../../support/reloadable.ts";

const folder = mkdtempSync(join(tmpdir(), "tidegate-terminal-"));
afterAll(() => rmSync(folder, { recursive: true }));

const hasPython = spawnSync("python3", ["--version"]).status === 0;

describe("a closed terminal", () => {
  it.skipIf(!hasPython && !process.env["CI"]).each([1, 2])(
    "stops a service of %i process(es) in order, even after a reload by SIGHUP (needs python3)",
    (workers) => {
      const file = join(folder, `terminal-${workers}.yaml`);
      writeFileSync(file, rules("f0"));
      const { stdout, stderr } = spawnSync("python3", ["-c", inTerminal, process.execPath], {
        env: { ...inherited, TIDEGATE_CONFIG: file, PORT: "0", WEB_CONCURRENCY: `${workers}` },
        encoding: "utf8",
        timeout: 40_000,
      });
      expect([stdout, stderr]).toEqual(["exit code 0\n", ""]);
    },
  );
});

/** Runs the service in its own terminal, sends SIGHUP, and closes the terminal once the file is loaded. */
const inTerminal = `
import os, pty, signal, sys

pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "src/main.ts"])
shown = b""
def wait_for(text):
    global shown
    while text not in shown:
        shown += os.read(terminal, 4096)
wait_for(b"serves at")
os.kill(pid, signal.SIGHUP)
wait_for(b"configuration reloaded")
os.close(terminal)
print("exit code", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
