import { existsSync, readdirSync, realpathSync } from "node:fs";
import { basename, delimiter, dirname, extname, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { errorMessage } from "../../../domain/error-message.ts";
import type { FeedDefinition } from "./feed-definition.ts";
import type { SourceDefinition } from "./source.ts";

/** A kind of source. */
export type Kind = SourceDefinition | FeedDefinition;

const folder = resolve(import.meta.dirname, "..");
/** `.ts` in a clone, `.js` in the package. */
const extension = extname(import.meta.filename);

/**
 * Built-in kinds, sorted. The folder is the registry: a kind is `<kind>.ts` or `<kind>/source.ts`. Folders whose name
 * starts with `_` are not kinds.
 */
export const kinds: readonly string[] = readdirSync(folder)
  .filter((entry) => !entry.startsWith("_"))
  .map((entry) => basename(entry, extension))
  .sort();

/** Path of the module of a built-in kind. */
export const moduleOf = (kind: string): string => {
  const own = resolve(folder, kind, `source${extension}`);
  return existsSync(own) ? own : resolve(folder, `${kind}${extension}`);
};

/** Whether a `kind` names a file instead of a built-in kind. */
export const isFile = (kind: string): boolean => /^\.{1,2}\//.test(kind);

/**
 * Resolves a `kind`: one of `kinds`, or a file (`./my-source.ts`, relative to the configuration file) below one of the
 * folders in TIDEGATE_SOURCE_FOLDERS. Returns a text with the fault and the fix if there is no such kind.
 */
export async function definitionOf(kind: string, configFile: string, env: NodeJS.ProcessEnv): Promise<Kind | string> {
  if (!isFile(kind)) {
    if (kinds.includes(kind)) return builtIn(kind);
    return `unknown kind "${kind}" (expected one of ${kinds.join(", ")}, or a file such as ./my-source.ts)`;
  }
  let file: string;
  try {
    file = realpathSync(resolve(dirname(configFile), kind));
  } catch {
    return `no file ${kind} (the path is relative to the configuration file)`;
  }
  if (!sourceFolders(env).some((allowed) => file.startsWith(allowed + sep))) {
    return `${kind} is outside the allowed folders (add its folder to TIDEGATE_SOURCE_FOLDERS)`;
  }
  return load(file, kind);
}

const sourceFolders = (env: NodeJS.ProcessEnv): string[] =>
  (env["TIDEGATE_SOURCE_FOLDERS"] ?? "").split(delimiter).filter(Boolean).map(realPath);

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** Loads the definition of a built-in kind. Rejects if its file is broken. */
export async function builtIn(kind: string): Promise<Kind> {
  const definition = await load(moduleOf(kind), kind);
  if (typeof definition === "string") throw new Error(definition);
  return definition;
}

async function load(file: string, kind: string): Promise<Kind | string> {
  let module: { source?: unknown };
  try {
    module = await import(pathToFileURL(file).href);
  } catch (cause) {
    return `cannot load ${kind}: ${errorMessage(cause)}`;
  }
  const { source } = module;
  const missing = ["summary", "options", "example", "create"].filter(
    (part) => typeof source !== "object" || source === null || !(part in source),
  );
  if (missing.length > 0) {
    return `${kind} exports no complete \`source\` (it lacks ${missing.join(", ")}); docs/tutorials/first-source.md shows one`;
  }
  return source as Kind;
}
