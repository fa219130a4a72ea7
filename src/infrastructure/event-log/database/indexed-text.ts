import { hash } from "node:crypto";
import sql, { join } from "sql-template-tag";
import { inChunks } from "../../in-chunks.ts";
import type { Queries, Transaction } from "./database.ts";
import { insertInto } from "./insert-into.ts";

// PostgreSQL indexes rows of at most about 2,700 bytes. A key shares its row with a store and a revision.
const maxKeyBytes = 1_000;
const maxFeatureBytes = 2_000;

/** UTF-16 code units of a long text that are stored, so that searches by prefix find it. At most 900 bytes. */
const beginning = 300;
/** Separates them from the digest. Neither keys nor features contain it. */
const mark = "\u0001";

const rowsAtOnce = 1_000;

/** The key of a set, document or token as a column value. */
export const indexedKey = (key: string): string => indexed(key, maxKeyBytes);

/** A feature as a column value. */
export const indexedFeature = (feature: string): string => indexed(feature, maxFeatureBytes);

/** The text itself, or the beginning and the digest of a long one. The table `long_texts` has the whole text. */
function indexed(text: string, maxBytes: number): string {
  // A code unit has at most three bytes.
  if (3 * text.length <= maxBytes || Buffer.byteLength(text) <= maxBytes) return text;
  return `${text.slice(0, beginning).toWellFormed()}${mark}${hash("sha256", text, "base64url")}`;
}

/** Stores the whole texts of column values. */
export async function writeLongTexts(transaction: Transaction, long: ReadonlyMap<string, string>): Promise<void> {
  for (const some of inChunks([...long], rowsAtOnce)) {
    const rows = some.map(([indexed, text]) => ({ indexed, text }));
    await transaction.query(sql`${insertInto("long_texts", rows)} on conflict do nothing`);
  }
}

/** Removes the whole texts that no set, no change of a feature and no usage of it refers to. */
export async function removeUnusedTexts(transaction: Transaction): Promise<void> {
  await transaction.query(sql`
    delete from long_texts
    where indexed not in (select key from sets where key like ${`%${mark}%`})
      and not exists (select position from turns where turns.feature = long_texts.indexed)
      and not exists (select id from usage_series where usage_series.feature = long_texts.indexed)`);
}

/** Returns the whole texts of column values, in the same order. */
export async function wholeTexts(database: Queries, values: readonly string[]): Promise<readonly string[]> {
  const long = [...new Set(values.filter((value) => value.includes(mark)))];
  if (long.length === 0) return values;
  const texts = new Map<string, string>();
  for (const some of inChunks(long, rowsAtOnce)) {
    const rows = await database.query<{ indexed: string; text: string }>(
      sql`select indexed, text from long_texts where indexed in (${join(some)})`,
    );
    for (const { indexed, text } of rows) texts.set(indexed, text);
  }
  return values.map((value) => texts.get(value) ?? value);
}
