import { KeyTemplate } from "../../domain/key-template.ts";
import { hashedTemplate, plainTemplate } from "../token-key.ts";
import type { Complain } from "./config-error.ts";
import { mapIn } from "./entries.ts";
import type { TokenOptions } from "./schema.ts";
import { type Path, pathText } from "./yaml-file.ts";

/** A key that some source reads, the store that it reads it of, and where the configuration says so. */
export type KeyInUse = {
  readonly connection: string;
  readonly store: string;
  readonly template: KeyTemplate;
  readonly path: Path;
};

/** What a connection leads to: two names for one URL or file are one store. */
export function storeOf(raw: unknown, connection: string): string {
  const options = mapIn(mapIn(raw, "connections"), connection);
  return String(options["url"] ?? options["file"] ?? connection);
}

/** Two different templates must not make the same key: a location would select a user's set. */
export function checkOverlaps(keys: readonly KeyInUse[], complain: Complain): void {
  for (const [index, { store, template, path }] of keys.entries()) {
    const other = keys
      .slice(0, index)
      .find((earlier) => earlier.store === store && earlier.template.overlaps(template));
    if (!other || other.template.text === template.text) continue;
    const fault = `"${template.text}" and "${other.template.text}" (${pathText(other.path)}) can make the same key`;
    complain(path, `${fault}; begin one of them with a word of its own`);
  }
}

/** A source must not read the keys of tokens: what a client types would tell which tokens there are. */
export function checkTokenKeys(
  tokens: TokenOptions,
  store: string,
  keys: readonly KeyInUse[],
  complain: Complain,
): void {
  const own = tokenTemplate(tokens);
  const shape = KeyTemplate.parse(own.replace("{token}", "{userId}"));
  for (const { template, path } of keys.filter((each) => each.store === store)) {
    if (shape instanceof KeyTemplate && shape.overlaps(template)) {
      complain(path, `"${template.text}" can make the key of a token (${own}); begin it with a word of its own`);
    }
  }
}

/** What the keys begin with that are read of each connection. */
export function prefixesOf(
  keys: readonly KeyInUse[],
  tokens: TokenOptions | undefined,
): ReadonlyMap<string, readonly string[]> {
  const used = keys.map(({ connection, template }) => ({ connection, prefix: template.prefix }));
  if (tokens) {
    used.push({ connection: tokens.connection, prefix: tokenTemplate(tokens).replace("{token}", "") });
  }
  return new Map(
    used.map(({ connection }) => [
      connection,
      used.filter((each) => each.connection === connection).map(({ prefix }) => prefix),
    ]),
  );
}

const tokenTemplate = ({ layout, key }: TokenOptions): string =>
  key ?? (layout === "plain" ? plainTemplate : hashedTemplate);
