import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import { credentialsCollection } from "../../../application/admin/stored-credential.ts";
import { type ChangeOrigin, cliActorPrefix, documentKey, externalActor } from "../../../domain/admin/change.ts";
import type { AffectingFilter, ChangeTool, ChangeType, EventFilter } from "../../../domain/events/event.ts";
import { indexedKey } from "../database/indexed-text.ts";
import { folded } from "./event-row.ts";

const columns = {
  component: raw("events.component"),
  environment: raw("events.environment"),
  email: raw("events.email"),
  recordedBy: raw("events.recorded_by"),
  key: raw("events.key"),
} as const;

/** The conditions of an event filter, except for its feature, to follow another condition. */
export function conditions(filter: EventFilter): Sql {
  const { message, from, to, type, origin, via } = filter;
  const conditions: Sql[] = [];
  for (const [name, column] of Object.entries(columns)) {
    const value = filter[name as keyof typeof columns];
    if (value !== undefined) conditions.push(sql`${column} = ${name === "key" ? indexedKey(value) : value}`);
  }
  if (message !== undefined) conditions.push(sql`events.folded like ${containing(message)} escape '\\'`);
  if (from !== undefined) conditions.push(sql`events.created_at >= ${new Date(from)}`);
  if (to !== undefined) conditions.push(sql`events.created_at < ${new Date(to)}`);
  if (type !== undefined) conditions.push(ofType(type));
  if (origin !== undefined) conditions.push(ofOrigin(origin));
  if (via !== undefined) conditions.push(madeWith(via));
  if (filter.affecting !== undefined) conditions.push(affecting(filter.affecting));
  return conditions.length > 0 ? join(conditions, " and ", " and ") : empty;
}

/** Credentials are documents, of a collection of their own. */
function ofType(type: ChangeType): Sql {
  if (type === "credential") return inCollection(credentialsCollection);
  if (type !== "document") return sql`events.kind = ${type}`;
  return sql`events.kind = 'document' and not (${inCollection(credentialsCollection)})`;
}

/** Changes of the documents of a collection. */
function inCollection(collection: string): Sql {
  const prefix = documentKey(collection, "");
  return sql`events.kind = 'document' and events.key >= ${prefix} and events.key < ${`${prefix}\u{10ffff}`}`;
}

/** Only records of sets have an origin of their own. */
function ofOrigin(origin: ChangeOrigin): Sql {
  const isBaseline = sql`coalesce(events.data ->> 'origin', '') = 'baseline'`;
  if (origin === "baseline") return sql`events.kind is not null and ${isBaseline}`;
  const by = origin === "external" ? sql`= ${externalActor}` : sql`<> ${externalActor}`;
  return sql`events.kind is not null and events.recorded_by ${by} and not (${isBaseline})`;
}

function madeWith(tool: ChangeTool): Sql {
  const isOfPage = sql`coalesce(events.data ->> 'via', '') = 'page'`;
  if (tool === "page") return sql`events.kind is not null and ${isOfPage}`;
  const isOfCli = sql`events.recorded_by like ${`${cliActorPrefix}%`}`;
  if (tool === "cli") return sql`events.kind is not null and ${isOfCli}`;
  return sql`${ofOrigin("change")} and not (${isOfPage}) and not (${isOfCli})`;
}

function affecting({ userId, keys, collections }: AffectingFilter): Sql {
  const alternatives = [
    sql`events.kind = 'set' and events.key in (${join(["", ...keys.map(indexedKey)])})`,
    ...collections.map(inCollection),
    sql`events.kind = 'token' and events.data ->> 'userId' = ${userId}`,
  ];
  return join(alternatives, ") or (", "((", "))");
}

/** LIKE pattern for a substring, with wildcards escaped. */
const containing = (text: string): string => `%${folded(text).replace(/[\\%_]/g, "\\$&")}%`;
