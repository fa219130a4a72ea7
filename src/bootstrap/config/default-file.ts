import { relative, resolve } from "node:path";

/** The default configuration file: TIDEGATE_CONFIG, otherwise one of the two bundled files. */
export function defaultFile(env: NodeJS.ProcessEnv): string {
  if (env["TIDEGATE_CONFIG"]) return env["TIDEGATE_CONFIG"];
  const file = env["REDIS_USERS_URL"] || env["REDIS_FEATURES_URL"] ? "tidegate.yaml" : "embedded.yaml";
  return relative("", resolve(import.meta.dirname, "../../../config", file));
}
