import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ProjectCopy } from "../support/project-copy.ts";

/** The YAML at the end of the output. */
const yamlIn = (printed: string): string => printed.slice(printed.indexOf("  sources:")).replaceAll(/^ {2}/gm, "");

describe("a scaffolded kind in the repository", () => {
  let project: ProjectCopy;
  let printed: string;
  beforeAll(async () => {
    project = new ProjectCopy();
    printed = await project.run("node", "src/cli.ts", "sources", "new", "opening-hours");
  });
  afterAll(() => project[Symbol.dispose]());

  const written = ["src/adapters/sources/opening-hours.ts", "test/adapters/sources/opening-hours.test.ts"];

  it("passes its own test, and those of all kinds", async () => {
    expect(printed).toMatch(/^wrote src.*opening-hours\.ts\nwrote test.*opening-hours\.test\.ts\n/);
    await project.test(
      "test/adapters/sources/opening-hours.test.ts",
      "test/adapters/sources/_catalogue/source-catalogue.test.ts",
    );
  });

  it("has types, format and style like the other kinds", async () => {
    await project.run("tsc", "--project", ".");
    await project.run("biome", "ci", ...written);
  }, 300_000);

  it("is in the docs, and is configured as the next steps say", async () => {
    await project.run("node", "docs/generate.ts");
    await project.test("test/docs/docs.test.ts", "--testNamePattern", "make docs");
    expect(await project.run("node", "src/cli.ts", "sources", "kinds")).toContain(
      "opening-hours  Switches its features on",
    );
    await project.run("sh", "-c", `cat > my.yaml <<'END'\n${yamlIn(printed)}END`);
    const checked = await project.run("node", "src/cli.ts", "--config", "my.yaml", "evaluate");
    expect(checked).toBe("feature_1\n");
  }, 300_000);

  it("is not scaffolded twice", async () => {
    const again = project.run("node", "src/cli.ts", "sources", "new", "opening-hours");
    await expect(again).rejects.toThrow(/kind "opening-hours" exists \(choose another name\)/);
  });

  it("overwrites no existing test", async () => {
    await project.run("rm", written[0] ?? "");
    const again = project.run("node", "src/cli.ts", "sources", "new", "opening-hours");
    await expect(again).rejects.toThrow(/opening-hours\.test\.ts exists \(remove it, or choose another name\)/);
    await expect(project.run("ls", written[0] ?? "")).rejects.toThrow();
  });
});
