import { globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { defineConfig } from "vitepress";

const root = resolve(import.meta.dirname, "../..");
const pages = globSync(["*.md", "docs/**/*.md"], { cwd: root, exclude: ["docs/adr/0000-template.md"] }).sort();

/** Title and folder of each section of the side bar. An empty section is left out. */
const sections = [
  ["Tutorials", "docs/tutorials"],
  ["How-to guides", "docs/how-to"],
  ["Reference", "docs/reference"],
  ["Explanation", "docs/explanation"],
  ["Pages", "docs"],
  ["Decisions", "docs/adr"],
  ["Project", "."],
] as const;

/** A link to the folder leads to its first page. */
const firstDecision = "docs/adr/0001-four-layers.md";

/** The first heading of a page. */
const titleOf = (page: string): string => /^# (.*)$/m.exec(readFileSync(join(root, page), "utf8"))?.[1] ?? page;

const sidebar = sections
  .map(([text, folder]) => ({
    text,
    collapsed: folder === "docs/adr",
    items: pages
      .filter((page) => dirname(page) === folder && page !== "README.md")
      .map((page) => ({ text: titleOf(page).replaceAll("`", ""), link: `/${page.replace(/\.md$/, "")}` })),
  }))
  .filter(({ items }) => items.length > 0);

/** The site: the README as its first page, and `docs`. Everything that a page loads is part of it. */
export default defineConfig({
  title: "Tidegate",
  description: "A self-hosted feature-flag service",
  srcDir: root,
  srcExclude: ["{data,dist,site,src,test}/**", "{bench,conformance}/*/**", "docs/adr/0000-template.md"],
  outDir: join(root, "site/dist"),
  rewrites: { "README.md": "index.md" },
  markdown: {
    config: (markdown) => {
      const normalize = markdown.normalizeLink;
      markdown.normalizeLink = (link) =>
        normalize(link.replace(/^((?:\.\.?\/)*)README\.md/, "$1index.md").replace(/docs\/adr$/, firstDecision));
    },
  },
  ignoreDeadLinks: "localhostLinks",
  themeConfig: { search: { provider: "local" }, sidebar, outline: [2, 3] },
});
