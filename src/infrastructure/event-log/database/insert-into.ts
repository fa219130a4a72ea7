import sql, { bulk, raw, type Sql } from "sql-template-tag";

/** An INSERT of at least one row. All rows have the columns of the first. */
export function insertInto(table: string, rows: readonly Readonly<Record<string, unknown>>[]): Sql {
  const columns = Object.keys(rows[0] ?? {});
  const values = rows.map((row) => columns.map((column) => row[column]));
  return sql`insert into ${raw(table)} (${raw(columns.join(", "))}) values ${bulk(values)}`;
}
