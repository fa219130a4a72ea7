import { homedir } from "node:os";
import { extname, isAbsolute, join, resolve } from "node:path";

/** Whether this code runs from a clone: the package contains no TypeScript. */
const isClone = extname(import.meta.filename) === ".ts";

/**
 * The data folder: TIDEGATE_DATA, otherwise `data` in the clone. An installed package uses `tidegate` in the user's
 * data folder (XDG Base Directory Specification, %LOCALAPPDATA% on Windows), because an upgrade replaces the package.
 */
export function dataFolder(env: NodeJS.ProcessEnv, isInstalled = !isClone): string {
  if (env["TIDEGATE_DATA"]) return env["TIDEGATE_DATA"];
  if (!isInstalled) return resolve(import.meta.dirname, "../../../data");
  const { XDG_DATA_HOME = "", LOCALAPPDATA = "" } = env;
  // The specification ignores relative paths.
  const parent = [XDG_DATA_HOME, LOCALAPPDATA].find(isAbsolute) ?? join(env["HOME"] || homedir(), ".local/share");
  return join(parent, "tidegate");
}
