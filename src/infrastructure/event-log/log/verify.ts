import sql from "sql-template-tag";
import type { LogHead, LogPart, Proof, TrustedHead } from "../../../domain/events/event.ts";
import type { Database } from "../database/database.ts";
import { ChainLost } from "./chain-lost.ts";
import { contentOf, hashOf } from "./event-hash.ts";
import { changeOf, type EventRow, eventIn, folded } from "./event-row.ts";

const rowsAtOnce = 1_000;

/**
 * Verifies the hash chain of a log, or a part of it, page by page. Tolerates concurrent appends, and retention at its
 * beginning. A trusted head is looked for in the whole log only.
 */
export async function verify(
  database: Database,
  trusted?: TrustedHead,
  { after, limit }: LogPart = { limit: Number.POSITIVE_INFINITY },
): Promise<Proof> {
  let start = after;
  let proven = after;
  let verified = 0;
  let isTrustedFound = trusted === undefined;
  while (true) {
    // Read before the events, so that they include all up to this end.
    const ends = await endsOf(database);
    if (!start || !proven || ends.start.position > proven.position) {
      start = ends.start;
      proven = start;
    }
    isTrustedFound ||= isSame(trusted, proven);
    if (verified >= limit && proven.position < ends.head.position) {
      return { isSound: true, start, head: proven, last: ends.head.position };
    }
    const rows = await eventsAfter(database, proven.position, Math.min(rowsAtOnce, limit - verified));
    verified += rows.length;
    for (const row of rows) {
      const fault = faultOf(row, proven);
      if (fault) {
        // Retention may have removed the missing events.
        if ((await endsOf(database)).start.position > proven.position) break;
        return { isSound: false, ...fault };
      }
      proven = { position: row.position, hash: row.hash };
      isTrustedFound ||= isSame(trusted, proven);
    }
    if (rows.length > 0) continue;
    const fault = faultAtEnds(ends, proven) ?? (isTrustedFound ? undefined : faultOfTrusted(trusted, start, proven));
    return fault ? { isSound: false, ...fault } : { isSound: true, start, head: proven, last: proven.position };
  }
}

type Fault = { readonly position: number; readonly fault: string };

const isSame = (trusted: TrustedHead | undefined, { position, hash }: LogHead): boolean =>
  trusted?.hash === hash && (trusted.position ?? position) === position;

function faultOf(row: EventRow, before: LogHead): Fault | undefined {
  const position = before.position + 1;
  if (row.position !== position) return { position, fault: "is missing" };
  try {
    const event = eventIn(row);
    const isWritten = hashOf(before.hash, position, contentOf(event)) === row.hash;
    if (!isWritten) return { position, fault: "was changed, or does not follow the previous event" };
    const derived = { ...changeOf(event), folded: folded(event.message) };
    const altered = Object.entries(derived).find(([column, value]) => row[column as keyof typeof derived] !== value);
    return altered && { position, fault: `was changed: its column ${altered[0]} differs` };
  } catch {
    return { position, fault: "is not a valid event" };
  }
}

/** Beginning and end of a log: as recorded, and as its events show. */
type Ends = {
  readonly start: LogHead;
  readonly head: LogHead;
  readonly first: number | null;
  readonly last: number | null;
};

function faultAtEnds({ start, head, first, last }: Ends, proven: LogHead): Fault | undefined {
  if (first !== null && first <= start.position) {
    return { position: first, fault: "is before the start of the log" };
  }
  if (last !== null && last > head.position) return { position: last, fault: "is after the end of the log" };
  if (proven.position > head.position)
    return { position: head.position + 1, fault: "is missing: the log ends before it" };
  if (proven.position < head.position) return { position: proven.position + 1, fault: "is missing" };
  if (proven.hash === head.hash) return undefined;
  return { position: head.position, fault: "has another hash than the recorded head" };
}

function faultOfTrusted(trusted: TrustedHead | undefined, start: LogHead, head: LogHead): Fault {
  const position = trusted?.position ?? head.position;
  if (position < start.position) return { position, fault: "was removed by retention; keep a later head" };
  if (position > head.position) return { position: head.position + 1, fault: "is missing: the log ends before it" };
  return trusted?.position === undefined
    ? { position, fault: "is the last event, and none has the hash of the given head" }
    : { position, fault: "has another hash than the given head" };
}

async function endsOf(database: Database): Promise<Ends> {
  const [row] = await database.query<
    LogHead & { start_position: number; start_hash: string; first: number | null; last: number | null }
  >(sql`
    select chain.*,
      (select min(position) from events) as first,
      (select max(position) from events) as last
    from chain`);
  if (!row) throw new ChainLost();
  return {
    start: { position: row.start_position, hash: row.start_hash },
    head: { position: row.position, hash: row.hash },
    first: row.first,
    last: row.last,
  };
}

const eventsAfter = (database: Database, position: number, limit: number): Promise<readonly EventRow[]> =>
  database.query(sql`select * from events where position > ${position} order by position limit ${limit}`);
