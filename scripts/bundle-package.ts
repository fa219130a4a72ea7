import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "vite";

/** What a package exports that code imports: its own name, or paths in it. */
export type Bundled = { readonly name: string; readonly paths?: readonly string[] };

const root = join(import.meta.dirname, "..");
const licences = "LICENSES.md";
const prefix = "\0exports of ";

/**
 * Writes a package and its dependencies as one package with few files, below `to`: tests, types, and code for browsers
 * stay behind. It has the version of the original, and the licence of each part.
 */
export async function bundlePackage({ name, paths = [] }: Bundled, to: string): Promise<void> {
  const output = join(to, name);
  const specifiers = [name, ...paths.map((path) => `${name}/${path}`)];
  await build({
    ...{ root, configFile: false, publicDir: false, logLevel: "warn", plugins: [exportsOf] },
    ssr: { noExternal: true },
    build: {
      ...{ ssr: true, outDir: output, emptyOutDir: true, target: "esnext", minify: false },
      license: { fileName: licences },
      rolldownOptions: {
        input: Object.fromEntries(specifiers.map((each) => [pathOf(each, name), prefix + each])),
        output: { entryFileNames: "[name].js", chunkFileNames: "[hash].js" },
      },
    },
  });
  const { version, license } = JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8"));
  const exports = Object.fromEntries([[".", "./index.js"], ...paths.map((path) => [`./${path}`, `./${path}`])]);
  mkdirSync(output, { recursive: true });
  writeFileSync(
    join(output, "package.json"),
    `${JSON.stringify({ name, version, license, type: "module", exports }, null, 2)}\n`,
  );
}

const pathOf = (specifier: string, name: string): string =>
  specifier === name ? "index" : specifier.slice(name.length + 1).replace(/\.js$/, "");

/** Entries that export each name of a module: CommonJS modules have names only when they run. */
const exportsOf: Plugin = {
  name: "exports-of",
  resolveId: (id) => (id.startsWith(prefix) ? id : undefined),
  load: async (id) => {
    if (!id.startsWith(prefix)) return undefined;
    const specifier = id.slice(prefix.length);
    const names = Object.keys(await import(specifier)).filter(
      (name) => !/^(default|module\.exports|__esModule)$/.test(name),
    );
    return `export { ${names.join(", ")} } from ${JSON.stringify(specifier)};`;
  },
};
