import type { ReloadConfig, ReloadResult } from "../../application/system/reload-config.ts";
import { ConfigError } from "../../infrastructure/config-error.ts";
import type { Log } from "../../infrastructure/logger.ts";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";
import { type Config, loadConfig } from "../config/config.ts";
import { configChanges } from "../config/config-changes.ts";
import { configText } from "../config/yaml-file.ts";

/** Reloads the file of a configuration, and passes a valid configuration to `use`. */
export function reloader(
  first: Config,
  env: NodeJS.ProcessEnv,
  log: Log,
  use: (config: Config) => Promise<void>,
): ReloadConfig {
  const { file, server } = first;
  let active = first;
  let last: Promise<unknown> = Promise.resolve();
  const reload = async (isDryRun: boolean): Promise<ReloadResult> => {
    try {
      const text = configText(file);
      const config = await loadConfig(file, env, text, server);
      const changes = configChanges(active.text, text);
      if (isDryRun) return { changes };
      await use(config);
      active = config;
      log.info({ config: file, sources: sourcesOf(config) }, "configuration reloaded");
      return { changes };
    } catch (error) {
      const problems = sentencesOf(error);
      if (!isDryRun) log.error({ config: file, problems }, "configuration rejected; the previous one stays active");
      return { problems };
    }
  };
  return (isDryRun) => {
    const result = last.then(() => reload(isDryRun));
    last = result;
    return result;
  };
}

/** The sources of a configuration, for the log. */
export const sourcesOf = ({ sources }: Config): string[] =>
  sources.map(({ name, kind, role }) => `${name} (${kind}, ${role})`);

/** The problems of an error, one sentence each. */
export function sentencesOf(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.sentences;
  if (error instanceof SetupFailed) return error.message.split("\n");
  return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
}
