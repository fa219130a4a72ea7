import { execFileSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import packageJson from "../package.json" with { type: "json" };
import { type Bundled, bundlePackage } from "./bundle-package.ts";

const root = resolve(import.meta.dirname, "..");
const output = join(root, "dist");
/** The files that the API page loads: the whole package is 12 MB, and its dependency runs an installation script. */
const swaggerUi = [
  ...["swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.css", "favicon-32x32.png"],
  ...["LICENSE", "NOTICE"],
];
/** The package of country databases has three, of which one is read: 15 MB, or 4 MB of one compressed. */
const countries = "geo-whois-asn-country.mmdb";
/**
 * Dependencies that are bundled, because most of what they install is never loaded: 40 packages for HTTP, 2 MB of tests,
 * ten builds of one file.
 */
const bundled: readonly Bundled[] = [
  { name: "unleash-client", paths: ["lib/strategy/index.js"] },
  { name: "@prometheus-io/client" },
  { name: "lru-cache" },
];
const compiler = join(root, "node_modules/.bin/tsc");

/**
 * Builds the npm package into `dist`, with the layout of the clone: each path that the code knows is right in both. The
 * clone itself stays as it is, and cannot be published: it is private.
 */
async function build(): Promise<void> {
  rmSync(output, { recursive: true, force: true });
  for (const project of ["tsconfig.build.json", "tsconfig.types.json"]) {
    // `make check` checks the types; that takes ten times as long as to write the files.
    execFileSync(compiler, ["--project", project, "--noCheck"], { cwd: root, stdio: "inherit" });
  }
  buildBackoffice();
  const assets = globSync("src/**/*.*", { cwd: root }).filter((file) => !file.endsWith(".ts"));
  const docs = globSync("docs/**/*.md", { cwd: root });
  const others = [
    "bin",
    "config",
    "docs/backoffice.png",
    "CONTRIBUTING.md",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "NOTICE",
  ];
  for (const file of [...assets, ...docs, ...others]) cpSync(join(root, file), join(output, file), { recursive: true });
  for (const name of swaggerUi)
    cpSync(join(root, "node_modules/swagger-ui-dist", name), join(output, "swagger-ui", name));
  copyCountries(join(root, "node_modules/@ip-location-db/geo-whois-asn-country-mmdb"), join(output, "geoip"));
  for (const each of bundled) await bundlePackage(each, join(output, "node_modules"));
  writeFileSync(join(output, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);
}

function copyCountries(from: string, to: string): void {
  mkdirSync(to);
  writeFileSync(join(to, `${countries}.gz`), gzipSync(readFileSync(join(from, countries)), { level: 9 }));
  cpSync(join(from, "NRO_LICENSE"), join(to, "NRO_LICENSE"));
}

/** Builds the page for operators, whose packages are its own. */
function buildBackoffice(): void {
  const run = (command: string, ...args: string[]) => execFileSync(command, args, { cwd: root, stdio: "inherit" });
  if (!existsSync(join(root, "backoffice/node_modules"))) {
    run("npm", "ci", "--prefix", "backoffice", "--ignore-scripts", "--loglevel=error");
  }
  const vite = [join(root, "backoffice/node_modules/vite/bin/vite.js"), "build", "backoffice", "--logLevel", "warn"];
  // Into the package only: the clone may serve its own build.
  run(process.execPath, ...vite, "--outDir", join(output, "backoffice/dist"), "--emptyOutDir");
}

/** The published manifest: built files, and neither scripts nor the Node.js that a clone brings. */
function manifest() {
  const { name, version, description, license, type, bin, engines, dependencies } = packageJson;
  return {
    ...{ name, version, description, license, type, bin },
    exports: {
      ".": { types: "./src/package-exports.d.ts", default: "./src/package-exports.js" },
      "./api": { types: "./src/adapters/http/api.d.ts", default: "./src/adapters/http/api.js" },
    },
    imports: {
      "#cli": "./src/cli.js",
      "#country-database": `./geoip/${countries}.gz`,
      "#swagger-ui/*": "./swagger-ui/*",
    },
    ...{ engines, dependencies, bundleDependencies: bundled.map(({ name }) => name) },
  };
}

await build();
