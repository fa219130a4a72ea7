import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestProcess } from "./process.ts";

/** A configuration in which one feature is on. */
export const rules = (feature: string, rest = "") =>
  `${rest}\nsources: [{ name: a, kind: static, features: { ${feature}: true } }]\n`;

/** The response to a client by that configuration. */
export const answer = (feature: string) => `{"active_features":["${feature}"]}`;

let files = 0;

/** A service on its own configuration file; `put` writes the file and requests a reload. */
export function serve(folder: string, yaml: string, workers: number, env: NodeJS.ProcessEnv = {}) {
  files += 1;
  const file = join(folder, `${files}.yaml`);
  writeFileSync(file, yaml);
  const settings = { TIDEGATE_CONFIG: file, PORT: "0", HOST: "127.0.0.1", WEB_CONCURRENCY: `${workers}` };
  const service = new TestProcess(["src/main.ts"], { ...settings, ...env });
  const lines = (sentence: string): Record<string, unknown>[] =>
    service.stderr
      .split("\n")
      .filter((line) => line.includes(`"msg":"${sentence}"`))
      .map((line) => JSON.parse(line));
  const put = (text: string) => {
    writeFileSync(file, text);
    service.signal("SIGHUP");
  };
  const loaded = () => lines("configuration reloaded");
  const refused = () => lines("configuration rejected; the previous one stays active");
  return { service, file, put, lines, loaded, refused, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() };
}

/** The features of a client. */
export const ask = async (url: string): Promise<string> => (await fetch(`${url}/features`)).text();
