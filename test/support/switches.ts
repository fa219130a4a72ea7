import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";

/** Allows the kinds of source that exist for tests only. */
export const kindsEnv = { TIDEGATE_SOURCE_FOLDERS: resolve(import.meta.dirname, "kinds") };

/**
 * The kind whose sources switch features on or off by stored rules, for a configuration in its own folder in `tmpdir`.
 */
export const switchesKind = relative(join(tmpdir(), "any"), resolve(import.meta.dirname, "kinds/switches.ts"));

/** A source of that kind, next to the sources of sets. `connection` is the definition of the one connection. */
export const switchesRules = (connection: string): string => `
connections:
  features: ${connection}
cache: { snapshot: { file: "\${FOLDER}/snapshot.ndjson" } }
sources:
  - { name: killed, kind: set, connection: features, key: "tidegate:killed", role: veto }
  - { name: switches, kind: "${switchesKind}", connection: features }
  - { name: literal, kind: static, features: { always: true } }
`;

export const inSqlite = `{ kind: sqlite, file: "\${FOLDER}/store.db" }`;
export const inRedis = (url: string): string => `{ kind: redis, url: "${url}" }`;
