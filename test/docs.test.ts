import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { Ajv } from "ajv";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { generated } from "../docs/generate.ts";
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
    const sources = named.map((file) => (/hours\.(test\.)?ts$/.test(file) ? "docs/adding-a-source.md" : file));
    for (const link of [...links.map((to) => join(dirname(page), to)), ...sources]) {
      expect(existsSync(join(root, link)), `${page} names ${link}`).toBe(true);
    }
  });

  it.each(globSync("docs/adr/*.md", { cwd: root }))(
    "tell situation, options, decision, consequences and what confirms it in %s",
    (page) => {
      const headings = [...read(page).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
      expect(headings).toEqual(["Situation", "Options", "Decision", "Consequences", "Confirmed by"]);
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
  const folder = mkdtempSync(join(tmpdir(), "tidegate-docs-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("shows a source and its test that work as they stand", async ({ task }) => {
    const [source, test] = files;
    expect([source?.file, test?.file]).toEqual([
      "src/adapters/sources/hours.ts",
      "test/adapters/sources/hours.test.ts",
    ]);
    // A folder beside the repository's own, from which the same relative imports lead to the same files.
    for (const { file, code } of files.slice(0, 2)) {
      const copy = join(folder, file);
      mkdirSync(dirname(copy), { recursive: true });
      writeFileSync(
        copy,
        code.replaceAll(/from "(\.[^"]+)"/g, (_, to) => `from "${target(file, to)}"`),
      );
    }
    const { startVitest } = await import("vitest/node");
    const run = await startVitest("test", [], {
      watch: false,
      root: folder,
      config: false,
      include: ["test/**/*.test.ts"],
      reporters: [{}],
    });
    const tests = run.state.getTestModules().flatMap((module) => [...module.children.allTests()]);
    await run.close();
    expect(tests.length, task.name).toBeGreaterThanOrEqual(6);
    expect(tests.map((each) => each.result().state)).toEqual(tests.map(() => "passed"));
  });

  /** Where an import of a file of the page leads: to another file of the page, or into the repository. */
  function target(file: string, to: string): string {
    const path = relative(".", join(dirname(file), to));
    return files.some((other) => other.file === path) ? join(folder, path) : join(root, path);
  }

  it("shows a source from outside the repository that works as it stands", async () => {
    const weekend = files[2];
    expect(weekend?.file).toBe("sources/weekend.js");
    mkdirSync(join(folder, "sources"));
    writeFileSync(join(folder, "sources/weekend.mjs"), weekend?.code ?? "");
    const config = (yaml[1] ?? "").replace(
      "./sources/weekend.js",
      relative(join(tmpdir(), "x"), join(folder, "sources/weekend.mjs")),
    );
    await using service = await startService(config, { TIDEGATE_SOURCE_FOLDERS: folder });
    const weekendNow = [0, 6].includes(new Date().getUTCDay());
    expect(await (await service.get("/features")).json()).toEqual({ active_features: weekendNow ? ["brunch"] : [] });
  });
});
