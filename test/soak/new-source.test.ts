import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestProcess } from "../support/process.ts";
import { ProjectCopy } from "../support/project-copy.ts";

/** The YAML at the end of the output. */
const yamlIn = (printed: string): string => printed.slice(printed.indexOf("  sources:")).replaceAll(/^ {2}/gm, "");

/** The files, the YAML and the commands of the tutorial. */
const tutorial = readFileSync(resolve(import.meta.dirname, "../../docs/tutorials/first-source.md"), "utf8");
const files = [...tutorial.matchAll(/```[jt]s\n\/\/ (\S+)\n([\s\S]*?)```/g)]
  .map(([, file = "", code = ""]) => ({ file, code }))
  .slice(0, 2);
const [yaml = ""] = [...tutorial.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text);
const [begin, ...asked] = [...tutorial.matchAll(/^\$ (.*)\n((?:(?!```|\$ ).*\n)*)/gm)].map(
  ([, command = "", output = ""]) => ({ command, output: output.trimEnd() }),
);

const scaffolded = ["src/adapters/sources/opening-hours.ts", "test/adapters/sources/opening-hours.test.ts"];
const written = [...scaffolded, ...files.map(({ file }) => file)];

// The two kinds share a copy, because its commands take most of the time.
let project: ProjectCopy;
let printed: string;
let printedByTutorial: string;
beforeAll(async () => {
  project = new ProjectCopy();
  printed = await project.run("node", "src/cli.ts", "sources", "new", "opening-hours");
  const command = begin?.command.replace("npx tidegate", "node src/cli.ts") ?? "";
  printedByTutorial = await project.run("sh", "-c", command);
  for (const { file, code } of files) writeFileSync(join(project.folder, file), code);
});
afterAll(() => project?.[Symbol.dispose]());

describe("a scaffolded kind in the repository, and that of docs/tutorials/first-source.md", () => {
  it("are written to the files that the output and the tutorial name", () => {
    expect(printed).toMatch(/^wrote src.*opening-hours\.ts\nwrote test.*opening-hours\.test\.ts\n/);
    expect(printedByTutorial.trimEnd()).toBe(begin?.output);
    for (const { file } of files) expect(printedByTutorial).toContain(`wrote ${file}\n`);
  });

  it("pass their own tests, and those of all kinds", async () => {
    const own = written.filter((file) => file.startsWith("test/"));
    const output = await project.test(...own, "test/adapters/sources/_catalogue/source-catalogue.test.ts");
    expect(output).toMatch(/Test Files +3 passed/);
  });

  it("have types, format and style like the other kinds", async () => {
    writeFileSync(
      join(project.folder, "written.json"),
      JSON.stringify({ extends: "./tsconfig.json", include: written }),
    );
    await project.run("tsc", "--project", "written.json", "--incremental", "false");
    await project.run("biome", "ci", ...written);
  }, 300_000);

  it("are in the docs, and are configured as the next steps say", async () => {
    await project.run("node", "docs/generate.ts");
    await project.test("test/docs/docs.test.ts", "--testNamePattern", "make docs");
    expect(await project.run("node", "src/cli.ts", "sources", "kinds")).toContain(
      "opening-hours  Switches its features on",
    );
    writeFileSync(join(project.folder, "my.yaml"), yamlIn(printed));
    const checked = await project.run("node", "src/cli.ts", "--config", "my.yaml", "evaluate");
    expect(checked).toBe("feature_1\n");
  }, 300_000);

  it("are served as the tutorial says", async () => {
    writeFileSync(join(project.folder, "wide.yaml"), yaml);
    const env = { TIDEGATE_CONFIG: join(project.folder, "wide.yaml"), PORT: "0" };
    await using service = new TestProcess([join(project.folder, "src/main.ts")], env);
    expect(asked).toHaveLength(2);
    for (const { command, output } of asked) {
      const [, path = ""] = /^curl "http:\/\/localhost:5000(.*)"$/.exec(command) ?? [];
      expect(await (await fetch((await service.url()) + path)).text()).toBe(output);
    }
  });

  it("are not scaffolded twice", async () => {
    const again = project.run("node", "src/cli.ts", "sources", "new", "opening-hours");
    await expect(again).rejects.toThrow(/kind "opening-hours" exists \(choose another name\)/);
  });

  it("overwrite no existing test", async () => {
    rmSync(join(project.folder, scaffolded[0] ?? ""), { force: true });
    const again = project.run("node", "src/cli.ts", "sources", "new", "opening-hours");
    await expect(again).rejects.toThrow(/opening-hours\.test\.ts exists \(remove it, or choose another name\)/);
    await expect(project.run("ls", scaffolded[0] ?? "")).rejects.toThrow();
  });
});
