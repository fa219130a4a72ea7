import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";

const root = resolve(import.meta.dirname, "../..");
/** Installed and generated files, which are not part of the project. */
const others = new Set(["node_modules", ".git", "data", "dist", "coverage"]);

/** A copy of the project to change, with its installed packages. */
export class ProjectCopy implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "tidegate-copy-"));

  constructor() {
    cpSync(root, this.folder, { recursive: true, filter: (path) => path === root || !others.has(basename(path)) });
    symlinkSync(join(root, "node_modules"), join(this.folder, "node_modules"));
  }

  /** Runs a command in it, such as `tsc`; rejects with its output if it fails. */
  async run(command: string, ...args: string[]): Promise<string> {
    const path = [join(root, "node_modules/.bin"), join(process.execPath, ".."), process.env["PATH"]].join(":");
    const { VITEST: _, VITEST_JSON: __, ...env } = process.env;
    const options = { cwd: this.folder, env: { ...env, PATH: path, NO_COLOR: "1" } };
    try {
      const { stdout } = await promisify(execFile)(command, args, options);
      return stdout;
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      throw new Error(`${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
    }
  }

  /** Runs some of its tests. */
  test(...files: string[]): Promise<string> {
    return this.run("vitest", "run", ...files);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}
