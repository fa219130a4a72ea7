import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

// Tests build it too, and would get the development build of React, which is larger.
process.env["NODE_ENV"] = "production";

const compressible = new Set([".css", ".html", ".js", ".svg"]);

/** Replaces each compressible file by its brotli and gzip forms, in which the service sends it. */
const precompressed: Plugin = {
  name: "precompressed",
  apply: "build",
  async writeBundle({ dir }) {
    if (dir === undefined) return;
    const names = await readdir(dir, { recursive: true });
    const files = names.filter((name) => compressible.has(extname(name))).map((name) => join(dir, name));
    await Promise.all(files.map(compress));
  },
};

async function compress(file: string): Promise<void> {
  const content = await readFile(file);
  const params = {
    [constants.BROTLI_PARAM_SIZE_HINT]: content.byteLength,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
  };
  await writeFile(`${file}.br`, await promisify(brotliCompress)(content, { params }));
  await writeFile(`${file}.gz`, await promisify(gzip)(content, { level: 9 }));
  await rm(file);
}

export default defineConfig({
  // The service puts `server.basePath` before it in the index.
  base: "/backoffice/",
  plugins: [react(), precompressed],
  build: {
    target: "es2022",
    license: { fileName: "licenses.txt" },
    // A data URL would need a wider Content-Security-Policy.
    assetsInlineLimit: 0,
    // All browsers that know es2022 preload modules themselves.
    modulePreload: { polyfill: false },
    // One stylesheet: a part of the page that is loaded later needs no second file, which could be missing.
    cssCodeSplit: false,
    // One script for each area, with its dialogs: small files compress badly.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // The first view, and what areas share.
            { name: "index", test: /index\.html$|lucide-react|@tanstack|src\/ui\// },
            { name: "chart", test: /charts\/chart\.tsx$/ },
            { name: "events", test: /src\/events\// },
            { name: "features", test: /src\/(features|command-bar|shell)\// },
            { name: "feature", test: /src\/feature\// },
            { name: "people", test: /src\/people\// },
            { name: "system", test: /src\/system\// },
          ],
        },
      },
    },
  },
  experimental: {
    // Scripts find each other at any base path.
    renderBuiltUrl: (_, { hostType }) => (hostType === "html" ? undefined : { relative: true }),
  },
});
