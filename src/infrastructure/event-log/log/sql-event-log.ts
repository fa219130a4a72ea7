import sql, { empty, join, raw } from "sql-template-tag";
import type { Event, EventFilter, LogHead, NewEvent } from "../../../domain/events/event.ts";
import type { EventLog, RecordedEvent } from "../../../domain/events/event-log.ts";
import { inChunks } from "../../in-chunks.ts";
import type { Database } from "../database/database.ts";
import { indexedFeature } from "../database/indexed-text.ts";
import { positionsWithin } from "../history/spans.ts";
import { ChainLost } from "./chain-lost.ts";
import { conditions } from "./conditions.ts";
import { isSameChange } from "./event-hash.ts";
import { type EventRow, eventIn } from "./event-row.ts";
import { expire } from "./retention.ts";
import { verify } from "./verify.ts";
import { maxAtOnce, type Outcome, writer } from "./writer.ts";

const rowsAtOnce = 1_000;

/** A rejected record: its index in the batch, and the reason. */
export type RejectedRecord = { readonly index: number; readonly reason: string };

/** An event that the log can never contain. */
export class UnstorableEvent extends Error {
  override readonly name = "UnstorableEvent";
}

/** The event log port, except that rejected records are named by their index. */
export type IndexedEventLog = Omit<EventLog, "record"> & {
  record(events: readonly RecordedEvent[]): Promise<readonly RejectedRecord[]>;
};

/** Event log in a database. */
export function sqlEventLog(database: Database): IndexedEventLog {
  const { write, check: checkWrites } = writer(database);

  async function append(event: NewEvent): Promise<Event> {
    const [outcome] = await write([event]);
    if (outcome && "event" in outcome) return outcome.event;
    throw new UnstorableEvent(`the event cannot be stored: ${outcome?.rejected}`);
  }

  async function head(): Promise<LogHead> {
    const [head] = await database.query<LogHead>(sql`select position, hash from chain`);
    if (!head) throw new ChainLost();
    return head;
  }

  async function pageOf(
    filter: EventFilter,
    limit: number,
    order: "asc" | "desc",
    beyond?: number,
  ): Promise<readonly Event[]> {
    const { feature } = filter;
    // A search by feature follows the order of its own rows, which an index covers.
    const position = raw(feature === undefined ? "events.position" : "turns.position");
    const ofFeature =
      feature === undefined
        ? empty
        : sql`join turns on turns.position = events.position and turns.feature = ${indexedFeature(feature)}`;
    const within = await positionsWithin(database, filter);
    const after = order === "asc" ? Math.max(within.after, beyond ?? 0) : within.after;
    const before = order === "desc" ? Math.min(within.before, beyond ?? within.before) : within.before;
    const rows = await database.query<EventRow>(sql`
      select events.* from events ${ofFeature}
      where ${position} > ${after} and ${position} < ${before} ${conditions(filter)}
      order by ${position} ${raw(order)}
      limit ${limit}`);
    return rows.map(eventIn);
  }

  return {
    append,
    head,
    async record(events) {
      const omitted: RejectedRecord[] = [];
      let index = 0;
      for (const some of inChunks(events, maxAtOnce)) {
        for (const outcome of await write(some)) {
          const reason = conflict(events[index], outcome);
          if (reason) omitted.push({ index, reason });
          index += 1;
        }
      }
      return omitted;
    },
    find: (filter, limit, before) => pageOf(filter, limit, "desc", before),
    follow: (filter, limit, after) => pageOf(filter, limit, "asc", after),
    async one(id) {
      const [row] = await database.query<EventRow>(sql`select * from events where id = ${id}`);
      return row && eventIn(row);
    },
    async at(positions) {
      const events: Event[] = [];
      for (const some of inChunks([...new Set(positions)], rowsAtOnce)) {
        const rows = await database.query<EventRow>(sql`select * from events where position in (${join(some)})`);
        events.push(...rows.map(eventIn));
      }
      return events;
    },
    async check() {
      await head();
      await checkWrites();
    },
    verify: (trusted, part) => verify(database, trusted, part),
    expire: (before, event) =>
      expire(database, before, (cut) => append({ ...event, data: Object.assign({}, event.data, cut) })),
  };
}

/**
 * The reason why a record conflicts with a logged event, if it does. Versions may word an event differently, so only
 * the change counts.
 */
function conflict(event: RecordedEvent | undefined, outcome: Outcome): string | undefined {
  if ("rejected" in outcome) return outcome.rejected;
  if (outcome.isNew || !event || isSameChange(event, outcome.event)) return undefined;
  return "another event has its id";
}
