import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { ChangeRejected } from "../../domain/errors.ts";
import { makeFolder } from "../../infrastructure/files/make-folder.ts";
import { kinds } from "../sources/_catalogue/source-catalogue.ts";

const root = resolve(import.meta.dirname, "../../..");

/** A file to write. */
type Draft = { readonly file: string; readonly text: string };

/** The files of a new kind of source, and the next steps, one per line. */
export type NewSource = { readonly drafts: readonly Draft[]; readonly next: readonly string[] };

/**
 * Scaffolds a kind of source with a test: in this repository, or in the folder `sources` if the npm package is running.
 * Throws `ChangeRejected` for an invalid or existing name.
 */
export function newSource(kind: string): NewSource {
  checkName(kind);
  if (kinds.includes(kind)) throw new ChangeRejected(`kind "${kind}" exists (choose another name)`);
  const tests = join(root, "test/adapters/sources");
  if (!existsSync(tests)) return newSourceOutside(kind, "sources");
  const test = join(tests, `${kind}.test.ts`);
  return {
    drafts: [
      { file: join(root, "src/adapters/sources", `${kind}.ts`), text: template("source.ts", kind) },
      { file: test, text: template("test.ts", kind) },
    ],
    next: [
      "Change the first file to what the kind does, and the second to what you expect of it. Run the test:",
      `  npx vitest run ${relative(root, test)}`,
      "Run `make docs` to add the kind to the documentation. Use it in a configuration:",
      ...yamlOf(kind, kind),
    ],
  };
}

/**
 * Scaffolds a kind of source outside this repository, with a test and without imports from it. Throws `ChangeRejected`
 * for an invalid name.
 */
export function newSourceOutside(kind: string, folder: string): NewSource {
  checkName(kind);
  const file = join(folder, `${kind}.mjs`);
  const test = join(folder, `${kind}.test.mjs`);
  return {
    drafts: [
      { file, text: template("source.mjs", kind) },
      { file: test, text: template("test.mjs", kind) },
    ],
    next: [
      "Change the first file to what the kind does, and the second to what you expect of it. Run the test:",
      `  node --test ${test}`,
      `Set TIDEGATE_SOURCE_FOLDERS=${resolve(folder)} for the service. Use the kind in a configuration in that folder:`,
      ...yamlOf(kind, `./${kind}.mjs`),
    ],
  };
}

/** Writes all files. Throws `ChangeRejected`, before it writes any, if one of them exists. */
export function writeDrafts(drafts: readonly Draft[]): void {
  const existing = drafts.find(({ file }) => existsSync(file));
  if (existing) throw new ChangeRejected(`${existing.file} exists (remove it, or choose another name)`);
  for (const { file, text } of drafts) {
    makeFolder(dirname(file));
    writeFileSync(file, text, { flag: "wx" });
  }
}

function checkName(kind: string): void {
  if (kind.length <= 40 && /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(kind)) return;
  throw new ChangeRejected(
    `invalid name of a kind ${JSON.stringify(kind)} (expected up to 40 of a-z 0-9, a letter first, words separated by hyphens, for example opening-hours)`,
  );
}

const yamlOf = (name: string, kind: string): readonly string[] => [
  "  sources:",
  `    - { name: ${name}, kind: ${kind}, features: [feature_1] }`,
];

/** A template from the folder `new-source`, filled in for a kind. */
const template = (name: string, kind: string): string =>
  readFileSync(join(import.meta.dirname, "new-source", `${name}.txt`), "utf8").replaceAll("KIND", kind);
