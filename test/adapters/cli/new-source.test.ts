import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { newSource, newSourceOutside, writeDrafts } from "../../../src/adapters/cli/new-source.ts";
import { startService } from "../../support/service.ts";
import { tidegate } from "../../support/tidegate.ts";

const root = resolve(import.meta.dirname, "../../..");

/** The YAML at the end of the output. */
const yamlIn = (printed: string): string => printed.slice(printed.indexOf("  sources:")).replaceAll(/^ {2}/gm, "");

describe("a scaffold in the repository", () => {
  // `make soak` scaffolds a kind in a copy of the project, and uses it.
  it("has a source and a test beside the others, and prints the next steps", () => {
    const { drafts, next } = newSource("opening-hours");
    expect(drafts.map(({ file }) => relative(root, file))).toEqual([
      "src/adapters/sources/opening-hours.ts",
      "test/adapters/sources/opening-hours.test.ts",
    ]);
    for (const { text } of drafts) expect(text).not.toContain("KIND");
    expect(next.join("\n")).toContain("npx vitest run test/adapters/sources/opening-hours.test.ts");
  });

  it("rejects an existing kind", () => {
    expect(() => newSource("set")).toThrow(/kind "set" exists \(choose another name\)/);
  });

  it("overwrites no file", () => {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-drafts-"));
    const drafts = ["new.ts", "there.test.ts"].map((name) => ({ file: join(folder, name), text: "" }));
    writeFileSync(join(folder, "there.test.ts"), "existing");
    expect(() => writeDrafts(drafts)).toThrow(/there\.test\.ts exists \(remove it, or choose another name\)/);
    expect(readdirSync(folder)).toEqual(["there.test.ts"]);
    rmSync(folder, { recursive: true });
  });
});

describe("a scaffold outside the repository", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-outside-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("imports nothing from the repository, passes its test, and serves", async () => {
    const { code, stdout, stderr } = await tidegate(["sources", "new", "opening-hours", "--outside", folder]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`TIDEGATE_SOURCE_FOLDERS=${folder}`);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const tested = execFileSync(process.execPath, ["--test", join(folder, "opening-hours.test.mjs")], { env });
    expect(`${tested}`).toMatch(/pass 1\b/);
    const yaml = yamlIn(stdout).replace("./", `${"../".repeat(20)}${folder.slice(1)}/`);
    await using service = await startService(yaml, { TIDEGATE_SOURCE_FOLDERS: folder });
    expect(await (await service.get("/features")).json()).toEqual({ active_features: ["feature_1"] });
    const again = await tidegate(["sources", "new", "opening-hours", "--outside", folder]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("opening-hours.mjs exists")]);
  });

  it.each([
    "Opening",
    "opening_hours",
    "-hours",
    "hours-",
    "a--b",
    "7up",
    "../hours",
    "opening hours",
    "a".repeat(41),
    "",
  ])("rejects the name %j", (kind) => {
    expect(() => newSource(kind)).toThrow(/invalid name of a kind .* \(expected up to 40 of/);
    expect(() => newSourceOutside(kind, folder)).toThrow(/invalid name of a kind/);
  });
});
