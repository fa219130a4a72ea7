import { type Expression, expressionBuilder, type SqlBool, sql } from "kysely";
import { credentialsCollection } from "../../../application/admin/stored-credential.ts";
import { documentKey, externalActor } from "../../../domain/admin/change.ts";
import type { AffectingFilter, ChangeOrigin, ChangeType, EventFilter } from "../../../domain/events/event.ts";
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
  if (filter.type !== undefined) conditions.push(ofType(filter.type));
  if (filter.origin !== undefined) conditions.push(...ofOrigin(filter.origin));
  if (filter.affecting !== undefined) conditions.push(affecting(filter.affecting));
  return conditions;
}

/** Credentials are documents, of a collection of their own. */
function ofType(type: ChangeType): Expression<SqlBool> {
  const eb = expressionBuilder<Tables, "events">();
  if (type === "credential") return inCollection(credentialsCollection);
  const isOfKind = eb("events.kind", "=", type);
  return type === "document" ? eb.and([isOfKind, eb.not(inCollection(credentialsCollection))]) : isOfKind;
}

/** Changes of the documents of a collection. */
function inCollection(collection: string): Expression<SqlBool> {
  const eb = expressionBuilder<Tables, "events">();
  const prefix = documentKey(collection, "");
  return eb.and([
    eb("events.kind", "=", "document"),
    eb("events.key", ">=", prefix),
    eb("events.key", "<", `${prefix}\u{10ffff}`),
  ]);
}

/** Only records of sets have an origin of their own. */
function ofOrigin(origin: ChangeOrigin): Expression<SqlBool>[] {
  const eb = expressionBuilder<Tables, "events">();
  const isBaseline = sql<SqlBool>`coalesce(${inData("origin")}, '') = 'baseline'`;
  const isChange = eb("events.kind", "is not", null);
  if (origin === "baseline") return [isChange, isBaseline];
  const by = eb("events.recorded_by", origin === "external" ? "=" : "<>", externalActor);
  return [isChange, by, eb.not(isBaseline)];
}

function affecting({ userId, keys, collections }: AffectingFilter): Expression<SqlBool> {
  const eb = expressionBuilder<Tables, "events">();
  return eb.or([
    eb.and([eb("events.kind", "=", "set"), eb("events.key", "in", ["", ...keys.map(indexedKey)])]),
    ...collections.map(inCollection),
    eb.and([eb("events.kind", "=", "token"), sql<SqlBool>`${inData("userId")} = ${userId}`]),
  ]);
}

/** A text in the data of an event. */
const inData = (name: string) => sql<string>`events.data ->> ${sql.lit(name)}`;

/** LIKE pattern for a substring, with wildcards escaped. */
const containing = (text: string): string => `%${folded(text).replace(/[\\%_]/g, "\\$&")}%`;
