import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import {
  builtIn,
  definitionOf,
  kinds,
  moduleOf,
} from "../../../../src/adapters/sources/_catalogue/source-catalogue.ts";
import { schemaTools } from "../../../../src/bootstrap/config/schema-tools.ts";

const sources = resolve(import.meta.dirname, "../../../../src/adapters/sources");
const tests = resolve(import.meta.dirname, "..");
const testOf = (kind: string) => resolve(tests, relative(sources, moduleOf(kind)).replace(/\.ts$/, ".test.ts"));

describe.each(kinds)("kind %s", (kind) => {
  it("has a test that runs the FeatureResolver contract", () => {
    expect(existsSync(testOf(kind)), `${testOf(kind)} is missing`).toBe(true);
    expect(readFileSync(testOf(kind), "utf8")).toMatch(/^ *featureResolverContract\(/m);
  });

  it("has an example that its own options accept", async () => {
    const { options, example } = await builtIn(kind);
    expect(options(schemaTools(undefined)).safeParse(example).error).toBeUndefined();
  });

  it("has a one-sentence summary and describes each option", async () => {
    const { summary, options } = await builtIn(kind);
    expect(summary).toMatch(/^[A-Z].*\.$/);
    for (const [option, schema] of Object.entries(options(schemaTools(undefined)).shape)) {
      expect((schema as { description?: string }).description, option).toBeTruthy();
    }
  });
});

describe("a source from outside the repository", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-sources-"));
  const config = join(folder, "tidegate.yaml");
  const env = { TIDEGATE_SOURCE_FOLDERS: join(folder, "allowed") };
  mkdirSync(join(folder, "allowed"));
  const complete = `export const source = {
    summary: "Says yes.", options: ({ z }) => z.strictObject({}), example: {},
    create: () => ({ resolve: () => ({ features: new Map() }) }),
  };`;
  writeFileSync(join(folder, "allowed/mine.ts"), complete);
  writeFileSync(join(folder, "allowed/half.ts"), `export const source = { summary: "Half." };`);
  writeFileSync(join(folder, "allowed/broken.ts"), `import "./not-there.ts";`);
  writeFileSync(join(folder, "elsewhere.ts"), complete);
  symlinkSync(join(folder, "elsewhere.ts"), join(folder, "allowed/link.ts"));

  it("is loaded from an allowed folder, relative to the configuration", async () => {
    expect(await definitionOf("./allowed/mine.ts", config, env)).toMatchObject({ summary: "Says yes." });
  });

  it.each([
    ["./elsewhere.ts", /outside the allowed folders \(add its folder to TIDEGATE_SOURCE_FOLDERS\)/],
    ["./allowed/../elsewhere.ts", /outside the allowed folders/],
    ["./allowed/link.ts", /outside the allowed folders/],
    ["./allowed/none.ts", /^no file .*none\.ts/],
    ["./allowed/half.ts", /exports no complete `source` \(it lacks options, example, create\)/],
    ["./allowed/broken.ts", /^cannot load .*: /],
    ["../../etc/passwd", /^no file|outside the allowed folders/],
    ["/etc/passwd", /unknown kind/],
    ["set.ts", /unknown kind "set.ts" \(expected one of .*\bset\b/],
    ["", /unknown kind ""/],
  ])("is rejected if its kind is %j", async (kind, fault) => {
    expect(await definitionOf(kind, config, env)).toMatch(fault);
  });

  it("is rejected from every folder while none is allowed", async () => {
    expect(await definitionOf("./allowed/mine.ts", config, {})).toMatch(/outside the allowed folders/);
  });
});
