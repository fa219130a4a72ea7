import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** The section of a version in a changelog, without its heading. Throws if it is missing or empty. */
export function releaseNotes(changelog: string, version: string): string {
  const [, ...sections] = changelog.split(/^## /m);
  const section = sections.find((text) => text.startsWith(`[${version}]`));
  const notes = section?.slice(section.indexOf("\n")).trim();
  if (!notes)
    throw new Error(`CHANGELOG.md has no text for version ${version}; add the section ## [${version}] - DATE`);
  return `${notes}\n`;
}

/** Prints the section of the version in the first argument. */
if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const changelog = readFileSync(join(import.meta.dirname, "../CHANGELOG.md"), "utf8");
  process.stdout.write(releaseNotes(changelog, process.argv[2] ?? ""));
}
