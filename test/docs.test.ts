import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { generated } from "../docs/generate.ts";
import { TestProcess } from "./support/process.ts";
import { ProjectCopy } from "./support/project-copy.ts";
import { startService } from "./support/service.ts";

const root = resolve(import.meta.dirname, "..");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const pages = [...globSync("*.md", { cwd: root }), ...globSync("docs/**/*.md", { cwd: root })];

describe.each(Object.entries(generated))("the generated %s", (file, content) => {
  it("is what `make docs` would write", async () => {
    expect(read(file)).toBe(await content());
  });
});

describe("the pages", () => {
  it.each(pages)("lead somewhere from %s", (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) => link ?? "");
    const named = [...read(page).matchAll(/`((?:test|src|docs|config)\/[\w./-]+\.\w+)`/g)].map(
      ([, file]) => file ?? "",
    );
    const sources = named.map((file) => (/wide-window\.(test\.)?ts$/.test(file) ? "docs/adding-a-source.md" : file));
    for (const link of [...links.map((to) => join(dirname(page), to)), ...sources]) {
      expect(existsSync(join(root, link)), `${page} names ${link}`).toBe(true);
    }
  });

  it.each(globSync("docs/adr/*.md", { cwd: root }))(
    "tell situation, options, decision, consequences and what confirms it in %s",
    (page) => {
      const headings = [...read(page).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
      // Records before 0032 have other words for the first and the last.
      expect([
        ["Context", "Options", "Decision", "Consequences", "Confirmation"],
        ["Situation", "Options", "Decision", "Consequences", "Confirmed by"],
      ]).toContainEqual(headings);
      expect(read(page)).toMatch(new RegExp(`^# ${page.slice("docs/adr/".length, "docs/adr/".length + 4)} \\S`));
    },
  );
});

describe("the JSON Schema", () => {
  const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(
    JSON.parse(read("config/tidegate.schema.json")),
  );

  it.each(globSync("config/*.yaml", { cwd: root }))("accepts %s", (file) => {
    validate(parse(read(file)));
    expect(validate.errors).toBeNull();
  });

  it.each(["misspelt-option", "wrong-types", "no-sources", "missing-options", "list-instead-of-map"])(
    "refuses test/broken/%s.yaml",
    (name) => {
      expect(validate(parse(read(`test/broken/${name}.yaml`)))).toBe(false);
    },
  );
});

describe("docs/adding-a-source.md", () => {
  const page = read("docs/adding-a-source.md");
  const files = [...page.matchAll(/```[jt]s\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(([, file = "", code = ""]) => ({
    file,
    code,
  }));
  const yaml = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text ?? "");
  const commands = [...page.matchAll(/^\$ (.*)\n((?:(?!```|\$ ).*\n)*)/gm)].map(([, command = "", output = ""]) => ({
    command,
    output: output.trimEnd(),
  }));

  it("leads to a source of one's own, step by step", async () => {
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

  it("shows a source from outside the repository that works as it stands", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-docs-"));
    const weekend = files[2];
    expect(weekend?.file).toBe("sources/weekend.mjs");
    mkdirSync(join(folder, "sources"));
    writeFileSync(join(folder, "sources/weekend.mjs"), weekend?.code ?? "");
    const config = (yaml[1] ?? "").replace(
      "./sources/weekend.mjs",
      relative(join(tmpdir(), "x"), join(folder, "sources/weekend.mjs")),
    );
    await using service = await startService(config, { TIDEGATE_SOURCE_FOLDERS: folder });
    const weekendNow = [0, 6].includes(new Date().getUTCDay());
    expect(await (await service.get("/features")).json()).toEqual({ active_features: weekendNow ? ["brunch"] : [] });
    rmSync(folder, { recursive: true });
  });
});
