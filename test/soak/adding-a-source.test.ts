import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { TestProcess } from "../support/process.ts";
import { ProjectCopy } from "../support/project-copy.ts";

describe("docs/tutorials/first-source.md", () => {
  const page = readFileSync(resolve(import.meta.dirname, "../../docs/tutorials/first-source.md"), "utf8");
  const files = [...page.matchAll(/```[jt]s\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(([, file = "", code = ""]) => ({
    file,
    code,
  }));
  const yaml = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text ?? "");
  const commands = [...page.matchAll(/^\$ (.*)\n((?:(?!```|\$ ).*\n)*)/gm)].map(([, command = "", output = ""]) => ({
    command,
    output: output.trimEnd(),
  }));

  it("leads to a new source, step by step", async () => {
    using project = new ProjectCopy();
    const [begin, ...asked] = commands;
    const printed = await project.run("sh", "-c", (begin?.command ?? "").replace("npx tidegate", "node src/cli.ts"));
    expect(printed.trimEnd()).toBe(begin?.output);
    const [source, test] = files;
    for (const { file, code } of files.slice(0, 2)) {
      expect(printed).toContain(`wrote ${file}\n`);
      writeFileSync(join(project.folder, file), code);
    }
    await project.run("tsc", "--project", ".");
    await project.run("biome", "format", source?.file ?? "", test?.file ?? "");
    expect(await project.test(test?.file ?? "")).toMatch(/Tests +\d+ passed/);
    writeFileSync(join(project.folder, "my.yaml"), yaml[0] ?? "");
    const service = join(project.folder, "src/main.ts");
    const env = { TIDEGATE_CONFIG: join(project.folder, "my.yaml"), PORT: "0" };
    await using serving = new TestProcess([service], env);
    expect(asked).toHaveLength(2);
    for (const { command, output } of asked) {
      const [, path = ""] = /^curl "http:\/\/localhost:5000(.*)"$/.exec(command) ?? [];
      expect(await (await fetch((await serving.url()) + path)).text()).toBe(output);
    }
  }, 300_000);
});
