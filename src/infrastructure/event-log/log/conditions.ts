import { type Expression, expressionBuilder, type SqlBool, sql } from "kysely";
import type { EventFilter } from "../../../domain/events/event.ts";
import { indexedKey } from "../database/indexed-text.ts";
import { instant, type Tables } from "../database/tables.ts";
import { folded } from "./event-row.ts";

const columns = {
  component: "events.component",
  environment: "events.environment",
  email: "events.email",
  recordedBy: "events.recorded_by",
  key: "events.key",
} as const;

/** SQL conditions of an event filter, except for its feature. */
export function conditions(filter: EventFilter): Expression<SqlBool>[] {
  const eb = expressionBuilder<Tables, "events">();
  const { message, from, to } = filter;
  const conditions: Expression<SqlBool>[] = [];
  for (const [name, column] of Object.entries(columns)) {
    const value = filter[name as keyof typeof columns];
    if (value !== undefined) conditions.push(eb(column, "=", name === "key" ? indexedKey(value) : value));
  }
  if (message !== undefined) conditions.push(sql`${eb.ref("events.folded")} like ${containing(message)} escape '\\'`);
  if (from !== undefined) conditions.push(eb("events.created_at", ">=", instant(from)));
  if (to !== undefined) conditions.push(eb("events.created_at", "<", instant(to)));
  return conditions;
}

/** LIKE pattern for a substring, with wildcards escaped. */
const containing = (text: string): string => `%${folded(text).replace(/[\\%_]/g, "\\$&")}%`;
