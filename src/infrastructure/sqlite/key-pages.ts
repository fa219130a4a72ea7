import type { StatementSync } from "node:sqlite";

const atOnce = 1_000;

/** Upper bound of all keys with a prefix, except for those that continue with the last code point. */
export const endOf = (prefix: string): string => `${prefix}\u{10ffff}`;

/**
 * Yields the rows whose `key` begins with a prefix, in pages. The statement takes the first possible key, an upper
 * bound and a row limit, and returns rows ordered by key.
 */
export function* keyPages(
  statement: StatementSync,
  prefix: string,
): Generator<readonly ReturnType<StatementSync["all"]>[number][]> {
  let first = prefix;
  while (true) {
    const page = statement.all(first, endOf(prefix), atOnce);
    if (page.length === 0) return;
    yield page;
    first = `${page.at(-1)?.["key"]}\0`;
  }
}
