import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import packageJson from "../../../package.json" with { type: "json" };

const launcher = resolve(import.meta.dirname, "../../../bin/tidegate.cjs");

/** Runs the launcher with `--version` as if Node.js had another version. */
async function launchOn(version: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const script = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });
    process.argv.splice(1, 0, ${JSON.stringify(launcher)});
    require(process.argv[1]);`;
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, ["-e", script, "--", "--version"])) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

describe("the launcher", () => {
  it.each(["24.12.0", "26.0.0", "27.1.0"])("runs the command line on Node.js %s", async (version) => {
    expect(await launchOn(version)).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: "" });
  });

  it.each(["12.22.0", "20.20.2", "24.11.1", "25.2.0"])("exits 78 with one line on Node.js %s", async (version) => {
    const { code, stdout, stderr } = await launchOn(version);
    expect([code, stdout]).toEqual([78, ""]);
    expect(stderr).toBe(
      `tidegate: Node.js ${version} is not supported (needs ^24.12.0 || >=26.0.0); install one from https://nodejs.org/en/download\n`,
    );
  });

  it("supports the versions in package.json", () => {
    expect(packageJson.engines.node).toBe("^24.12.0 || >=26.0.0");
  });
});
