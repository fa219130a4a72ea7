import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { generated } from "../../docs/generate.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const pages = [...globSync("*.md", { cwd: root }), ...globSync("docs/**/*.md", { cwd: root })];

describe.each(Object.entries(generated))("the generated %s", (file, content) => {
  it("is the output of `make docs`", async () => {
    expect(read(file)).toBe(await content());
  });
});

describe("the pages", () => {
  // `make check` follows the links.
  it.each(pages)("name existing files in %s", (page) => {
    for (const [, file = ""] of read(page).matchAll(/`((?:test|src|docs|config)\/[\w./-]+\.\w+)`/g)) {
      const source = /wide-window\.(test\.)?ts$/.test(file) ? "docs/tutorials/first-source.md" : file;
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
    "rejects test/broken/%s.yaml",
    (name) => {
      expect(validate(parse(read(`test/broken/${name}.yaml`)))).toBe(false);
    },
  );
});
