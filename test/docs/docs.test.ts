import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { generated } from "../../docs/generate.ts";
import { newSource } from "../../src/adapters/cli/new-source.ts";
import { startService } from "../support/service.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const pages = [...globSync("*.md", { cwd: root }), ...globSync("docs/**/*.md", { cwd: root })];

describe.each(Object.entries(generated))("the generated %s", (file, content) => {
  it("is what `make docs` would write", async () => {
    expect(read(file)).toBe(await content());
  });
});

describe("the pages", () => {
  // `make check` follows the links.
  it.each(pages)("name files that exist in %s", (page) => {
    for (const [, file = ""] of read(page).matchAll(/`((?:test|src|docs|config)\/[\w./-]+\.\w+)`/g)) {
      const source = /wide-window\.(test\.)?ts$/.test(file) ? "docs/adding-a-source.md" : file;
      expect(existsSync(join(root, source)), `${page} names ${file}`).toBe(true);
    }
  });

  it.each(globSync("docs/adr/*.md", { cwd: root }))("have the headings of a decision record in %s", (page) => {
    const headings = [...read(page).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(["Context", "Options", "Decision", "Consequences", "Confirmation"]);
    expect(read(page)).toMatch(new RegExp(`^# ${page.slice("docs/adr/".length, "docs/adr/".length + 4)} \\S`));
  });
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

  // `make soak` follows it in a copy of the project.
  it("prints what the command line prints, and shows the files that it names", () => {
    const [begin] = commands;
    const { drafts, next } = newSource("wide-window");
    const written = drafts.map(({ file }) => relative(root, file));
    expect(begin?.command).toBe("npx tidegate sources new wide-window");
    expect([...written.map((file) => `wrote ${file}`), ...next].join("\n")).toBe(begin?.output);
    expect(files.slice(0, 2).map(({ file }) => file)).toEqual(written);
  });

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
