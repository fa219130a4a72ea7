import sql from "sql-template-tag";
import { errorMessage } from "../../../domain/error-message.ts";
import type { Event, LogHead } from "../../../domain/events/event.ts";
import { inChunks } from "../../in-chunks.ts";
import { type Database, isUniqueViolation, type Transaction } from "../database/database.ts";
import { insertInto } from "../database/insert-into.ts";
import { fold } from "../history/fold.ts";
import { StaleRevision } from "../history/set-state.ts";
import { ChainLost } from "./chain-lost.ts";
import { contentOf, type HashedEvent, hashOf } from "./event-hash.ts";
import { changeOf, type EventRow, eventIn, rowOf } from "./event-row.ts";

/** Result of an append: the new event, the existing event with the same id, or the reason for rejection. */
export type Outcome = { readonly event: Event; readonly isNew: boolean } | { readonly rejected: string };

/** An event to append, and its hashed content. */
type Append = { readonly event: HashedEvent; readonly content: string };
type Job = {
  readonly appends: readonly Append[];
  readonly resolve: (outcomes: readonly Outcome[]) => void;
  readonly reject: (error: unknown) => void;
};

/** The last failed write, by the monotonic clock. */
type Failure = { readonly at: number; readonly cause: unknown };

/** The outbox relay repeats a failed write every second. */
const recentMs = 2_000;

/** Events per transaction. */
export const maxAtOnce = 1_000;
const rowsAtOnce = 100;
/** PostgreSQL does not index longer values. */
const maxIndexedBytes = 1_000;

/**
 * Appends to the log. Events that arrive during a transaction share the next one: the lock on the head of the log
 * admits one at a time.
 */
export function writer(database: Database) {
  const jobs: Job[] = [];
  let isWorking = false;
  let lastFailure: Failure | undefined;

  /** Appends at most 1,000 events in order, all or none, except for those that the log cannot contain. */
  async function write(all: readonly HashedEvent[]): Promise<readonly Outcome[]> {
    const appends = all.map(appendOf);
    const outcomes = await queue(appends.filter((each) => "content" in each));
    let next = 0;
    return appends.map((each) => ("rejected" in each ? each : (outcomes[next++] as Outcome)));
  }

  /**
   * Rejects while writes fail. Some time after the last failed write, it tests another one, which changes nothing: it
   * may work where others fail, as on a full disk.
   */
  async function check(): Promise<void> {
    if (!lastFailure) return;
    if (performance.now() - lastFailure.at < recentMs) throw lastFailure.cause;
    await database.transaction(lockedHead);
    lastFailure = undefined;
  }

  function queue(appends: readonly Append[]): Promise<readonly Outcome[]> {
    return new Promise((resolve, reject) => {
      jobs.push({ appends, resolve, reject });
      void work();
    });
  }

  async function work(): Promise<void> {
    if (isWorking) return;
    isWorking = true;
    while (jobs.length > 0) await writeTogether(nextJobs());
    isWorking = false;
  }

  function nextJobs(): readonly Job[] {
    let size = 0;
    const tooMany = jobs.findIndex(({ appends }, index) => {
      size += appends.length;
      return index > 0 && size > maxAtOnce;
    });
    return jobs.splice(0, tooMany === -1 ? jobs.length : tooMany);
  }

  async function writeTogether(jobs: readonly Job[]): Promise<void> {
    try {
      const outcomes = await writeAll(jobs.flatMap(({ appends }) => appends));
      let start = 0;
      for (const { appends, resolve } of jobs) {
        resolve(outcomes.slice(start, start + appends.length));
        start += appends.length;
      }
      lastFailure = undefined;
    } catch (error) {
      lastFailure = { at: performance.now(), cause: error };
      for (const { reject } of jobs) reject(error);
    }
  }

  async function writeAll(all: readonly Append[]): Promise<readonly Outcome[]> {
    if (all.length === 0) return [];
    try {
      return await database.transaction((transaction) => append(transaction, all));
    } catch (error) {
      if (!isUniqueViolation(error) && !(error instanceof StaleRevision)) throw error;
      // Some events exist already. That is rare, so there is no lookup before.
      return await database.transaction((transaction) => appendNew(transaction, all));
    }
  }

  return { write, check };
}

function appendOf(event: HashedEvent): Append | { readonly rejected: string } {
  try {
    const { id, component, environment, email, recordedBy } = event;
    const { epoch, number } = changeOf(event);
    if (number !== null && !Number.isSafeInteger(number))
      return { rejected: "invalid revision (expected a safe integer)" };
    const long = Object.entries({ id, component, environment, email, recordedBy, epoch }).find(
      ([, text]) => Buffer.byteLength(text ?? "") > maxIndexedBytes,
    );
    return long ? { rejected: `its ${long[0]} is too long` } : { event, content: contentOf(event) };
  } catch (error) {
    return { rejected: errorMessage(error) };
  }
}

/** Reads the end of the log and blocks appends until the transaction ends. */
export async function lockedHead(transaction: Transaction): Promise<LogHead> {
  const [head] = await transaction.query<LogHead>(sql`update chain set position = position returning position, hash`);
  if (!head) throw new ChainLost();
  return head;
}

/** The position of the last removed event, or 0. */
export async function startOf(transaction: Transaction): Promise<number> {
  const [chain] = await transaction.query<{ start_position: number }>(sql`select start_position from chain`);
  if (!chain) throw new ChainLost();
  return chain.start_position;
}

/** Appends events that the log does not contain. Throws `StaleRevision` and writes nothing. */
export async function append(transaction: Transaction, all: readonly Append[]): Promise<readonly Outcome[]> {
  let head = await lockedHead(transaction);
  const events = all.map(({ event, content }): Event => {
    const position = head.position + 1;
    head = { position, hash: hashOf(head.hash, position, content) };
    return { ...event, ...head };
  });
  await fold(transaction, events);
  for (const some of inChunks(events, rowsAtOnce)) {
    await transaction.query(insertInto("events", some.map(rowOf)));
  }
  await transaction.query(sql`update chain set position = ${head.position}, hash = ${head.hash}`);
  return events.map((event) => ({ event, isNew: true }));
}

/** Appends the events that the log does not contain yet. */
async function appendNew(transaction: Transaction, all: readonly Append[]): Promise<readonly Outcome[]> {
  await lockedHead(transaction);
  const outcomes: Outcome[] = [];
  for (const each of all) {
    outcomes.push((await present(transaction, each.event)) ?? (await appendOne(transaction, each)));
  }
  return outcomes;
}

async function appendOne(transaction: Transaction, one: Append): Promise<Outcome> {
  try {
    const [outcome] = await append(transaction, [one]);
    return outcome as Outcome;
  } catch (error) {
    if (!(error instanceof StaleRevision)) throw error;
    return { rejected: "a later revision of the same item is recorded already" };
  }
}

async function present(transaction: Transaction, event: HashedEvent): Promise<Outcome | undefined> {
  const [same] = await transaction.query<EventRow>(sql`select * from events where id = ${event.id}`);
  if (same) return { event: eventIn(same), isNew: false };
  const { store, kind, key, epoch, number } = changeOf(event);
  if (store === null) return undefined;
  const [other] = await transaction.query<{ id: string }>(sql`
    select id from events
    where store = ${store} and kind = ${kind} and key = ${key} and epoch = ${epoch} and number = ${number}`);
  return other && { rejected: `event ${other.id} has the same revision of this item` };
}
