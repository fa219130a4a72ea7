import { hash } from "node:crypto";
import type { Transaction } from "kysely";
import { inChunks } from "../../in-chunks.ts";
import type { Database } from "./database.ts";
import type { Tables } from "./tables.ts";

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
export async function writeLongTexts(transaction: Transaction<Tables>, long: ReadonlyMap<string, string>) {
  for (const some of inChunks([...long], rowsAtOnce)) {
    await transaction
      .insertInto("long_texts")
      .values(some.map(([indexed, text]) => ({ indexed, text })))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

/** Removes the whole texts that no set, no change of a feature and no usage of it refers to. */
export async function removeUnusedTexts(transaction: Transaction<Tables>): Promise<void> {
  await transaction
    .deleteFrom("long_texts")
    .where("indexed", "not in", (eb) => eb.selectFrom("sets").where("key", "like", `%${mark}%`).select("key"))
    .where(({ exists, not, selectFrom }) =>
      not(exists(selectFrom("turns").whereRef("turns.feature", "=", "long_texts.indexed").select("turns.position"))),
    )
    .where(({ exists, not, selectFrom }) =>
      not(exists(selectFrom("usage_series").whereRef("feature", "=", "long_texts.indexed").select("id"))),
    )
    .execute();
}

/** Returns the whole texts of column values, in the same order. */
export async function wholeTexts(database: Database, values: readonly string[]): Promise<readonly string[]> {
  const long = [...new Set(values.filter((value) => value.includes(mark)))];
  if (long.length === 0) return values;
  const texts = new Map<string, string>();
  for (const some of inChunks(long, rowsAtOnce)) {
    const rows = await database.selectFrom("long_texts").where("indexed", "in", some).selectAll().execute();
    for (const { indexed, text } of rows) texts.set(indexed, text);
  }
  return values.map((value) => texts.get(value) ?? value);
}
