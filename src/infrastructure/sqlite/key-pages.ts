import type { StatementSync } from "node:sqlite";

const atOnce = 1_000;

/** What comes after all keys that begin with a prefix, but for such as go on with the last of all code points. */
export const endOf = (prefix: string): string => `${prefix}\u{10ffff}`;

/**
 * The rows whose `key` begins with a prefix, in pages. The statement takes the first key there may be, one that is after all, and a
 * number of rows, and answers them in the order of their keys.
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
