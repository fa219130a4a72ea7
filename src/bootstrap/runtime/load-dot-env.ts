import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";

/**
 * Adds the variables of `.env` in the working directory to an environment, if the file exists. Variables that are
 * already set are kept, also empty ones. Throws `SetupFailed` if the file cannot be read.
 */
export function loadDotEnv(env: NodeJS.ProcessEnv, folder = process.cwd()): void {
  const file = resolve(folder, ".env");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    throw new SetupFailed(`cannot read ${file}: ${message}; make it readable, or remove it`);
  }
  for (const [name, value] of Object.entries(parseEnv(text.replace(/^\ufeff/, "")))) env[name] ??= value;
}
