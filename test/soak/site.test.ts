import { execFile } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "tidegate-site-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the documentation site", () => {
  // Fails on a dead link.
  beforeAll(async () => {
    const { VITEST: _, NODE_ENV: __, ...env } = process.env;
    await promisify(execFile)(
      process.execPath,
      [join(root, "site/node_modules/vitepress/bin/vitepress.js"), "build", "site", "--outDir", folder],
      { cwd: root, env },
    );
  }, 180_000);

  it("starts with the README, and has every page", () => {
    expect(readFileSync(join(folder, "index.html"), "utf8")).toContain("self-hosted feature-flag service");
    const pages = globSync("docs/**/*.md", { cwd: root, exclude: ["docs/adr/0000-template.md"] });
    expect(globSync("docs/**/*.html", { cwd: folder })).toHaveLength(pages.length);
  });

  it("can be searched without another server", () => {
    const [index = ""] = globSync("assets/chunks/@localSearchIndex*.js", { cwd: folder });
    expect(readFileSync(join(folder, index), "utf8")).toContain("embedded store");
  });

  it("loads nothing from other hosts", () => {
    const pages = globSync("**/*.html", { cwd: folder }).map((file) => readFileSync(join(folder, file), "utf8"));
    const styles = globSync("**/*.css", { cwd: folder }).map((file) => readFileSync(join(folder, file), "utf8"));
    const loaded = [...pages, ...styles].flatMap((text) => [
      ...text.matchAll(/<(?:link|script|img|iframe)\b[^>]*(?:href|src)="(https?:)?\/\/[^>]*>|url\(["']?https?:[^)]*/g),
    ]);
    expect(loaded.map(([text]) => text)).toEqual([]);
  });
});
