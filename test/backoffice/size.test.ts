import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { buildPage } from "./support/browser.ts";

const folder = resolve(import.meta.dirname, "../../backoffice/dist");
/** In bytes, as they are sent to a browser: brotli, and fonts as they are. */
const budget = { all: 250_000, firstView: 200_000 };

beforeAll(buildPage);

const sizeOf = (files: readonly string[]) => files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
const sent = () =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => /\.(br|woff2)$/.test(file));
const textOf = (file: string) => brotliDecompressSync(readFileSync(join(folder, file))).toString();

describe("the files of the page", () => {
  it("take at most 250 kB in all, and 200 kB for the first view", () => {
    const entries = [...textOf("index.html.br").matchAll(/\/backoffice\/(assets\/[\w.-]+)/g)].map(([, path]) => path);
    const first = sent().filter((file) => file.endsWith(".woff2") || entries.includes(file.replace(/\.br$/, "")));
    expect(first.length).toBeGreaterThan(3);
    const sizes = { all: sizeOf(sent()), firstView: sizeOf(first) + sizeOf(["index.html.br"]) };
    console.log(`backoffice page, in bytes: ${JSON.stringify(sizes)}`);
    expect(sizes.all).toBeLessThan(budget.all);
    expect(sizes.firstView).toBeLessThan(budget.firstView);
  });
});
