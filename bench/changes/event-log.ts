import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { v7 as uuidv7 } from "uuid";
import type { EventFilter } from "../../src/domain/events/event.ts";
import type { RecordedEvent } from "../../src/domain/events/event-log.ts";
import type { EventLogLocation } from "../../src/infrastructure/event-log/database/database.ts";
import { type OpenEventLog, openEventLog } from "../../src/infrastructure/event-log/open-event-log.ts";
import { SetEvents, tokenEvent } from "../../test/support/events.ts";
import { startPostgresProcess } from "../../test/support/postgres-process.ts";
import { until } from "../../test/support/until.ts";
import { allProcessors, keepTo, loadProcessor } from "../processors.ts";
import { spreadOf } from "../spread.ts";

/** Times of the event log in each database, full of events. Medians in milliseconds. */
export type EventLogFigures = readonly {
  readonly database: string;
  readonly events: number;
  /** Records per second, in batches of the relay's size. */
  readonly recordedPerSecond: number;
  /** One event by its id. */
  readonly oneMs: number;
  /** A page of 50 events from the middle, by filter. */
  readonly pageMs: Readonly<Record<string, number>>;
  /** A set at a past instant, and the last change of each of its features; after 10,000 events of the set. */
  readonly setAtMs: number;
  readonly turnsMs: number;
  readonly verifiedPerSecond: number;
}[];

const count = Number(process.env["EVENTS"] ?? 1_000_000);
const start = 1_700_000_000_000;
const everyMs = 1_000;
/** The set that changes this often, with a hundred features. */
const changes = 10_000;
const atOnce = 500;
const asked = 200;

export async function eventLog(): Promise<EventLogFigures> {
  await using opened = new AsyncDisposableStack();
  keepTo(allProcessors);
  opened.defer(() => keepTo(loadProcessor));
  const postgres = await startPostgresProcess();
  opened.defer(postgres.stop);
  const { path } = opened.use(await mkdtempDisposable(join(tmpdir(), "tidegate-events-")));
  return [
    await measured("PostgreSQL", { kind: "postgres", url: postgres.url }),
    await measured("SQLite", { kind: "sqlite", file: join(path, "events.db") }),
  ];
}

async function measured(database: string, place: EventLogLocation): Promise<EventLogFigures[number]> {
  await using eventLog = openEventLog(place);
  const { log, history } = eventLog;
  const answers = () =>
    log.check().then(
      () => true,
      () => false,
    );
  await until(answers, `${database} answers`, 60_000);
  console.log(`${database}: recording ${count} events`);
  const recordedPerSecond = await fill(eventLog);
  const anywhere = () => 1 + Math.floor(Math.random() * count);
  const anyTime = () => start + anywhere() * everyMs;
  const ids = (await log.find({}, asked, anywhere() + asked)).map(({ id }) => id);
  const pageMs: Record<string, number> = {};
  for (const [name, filterOf] of Object.entries(filters)) {
    pageMs[name] = await median(asked, (index) => log.find(filterOf(index, anyTime()), 50, anywhere()));
  }
  const oneMs = await median(asked, (index) => log.one(ids[index % ids.length] ?? ""));
  const setAtMs = await median(20, () => history.setAt("features", "often", anyTime()));
  const turnsMs = await median(20, () => history.lastChanges("features", "often", anyTime()));
  const since = performance.now();
  const proof = await log.verify();
  if (!proof.isSound) throw new Error(`the log is broken at ${proof.position}: ${proof.fault}`);
  const verifiedPerSecond = (count * 1_000) / (performance.now() - since);
  return { database, events: count, recordedPerSecond, oneMs, pageMs, setAtMs, turnsMs, verifiedPerSecond };
}

const filters: Readonly<Record<string, (index: number, at: number) => EventFilter>> = {
  nothing: () => ({}),
  component: (index) => ({ component: index % 2 === 0 ? "features" : "tidegate" }),
  environment: (index) => ({ environment: environmentOf(index) }),
  email: (index) => ({ email: `${authorOf(index)}@tidegate.invalid` }),
  recordedBy: (index) => ({ recordedBy: authorOf(index) }),
  key: (index) => ({ key: keyOf(index) }),
  feature: (index) => ({ feature: featureOf(index) }),
  "an hour": (_, from) => ({ from, to: from + 3_600_000 }),
  "a month": (_, from) => ({ from, to: from + 2_592_000_000 }),
  "until then": (_, to) => ({ to }),
};

const environmentOf = (index: number): string => `environment-${index % 5}`;
const authorOf = (index: number): string => `author-${index % 200}`;
const keyOf = (index: number): string => `location:${index % 500}`;
const featureOf = (index: number): string => `feature_${index % 300}`;

/** Fills a log with changes of sets and tokens; returns the records per second. */
async function fill({ log }: OpenEventLog): Promise<number> {
  const often = new SetEvents("often");
  const sets = Array.from({ length: 500 }, (_, index) => new SetEvents(keyOf(index)));
  const begun = [often, ...sets].map((set) => set.begins());
  let told = 0;
  const next = (): RecordedEvent => {
    told += 1;
    const event = begun.shift() ?? change();
    const author = authorOf(told);
    const email = `${author}@tidegate.invalid`;
    return { ...event, at: start + told * everyMs, environment: environmentOf(told), recordedBy: author, email };
  };
  const change = (): RecordedEvent => {
    if (told % Math.max(2, Math.floor(count / changes)) === 0) return toggled(often, told);
    const set = sets[told % sets.length];
    return told % 2 === 0 || !set ? tokenEvent({ tokenId: uuidv7() }) : toggled(set, told);
  };
  let ms = 0;
  while (told < count) {
    const batch = Array.from({ length: Math.min(atOnce, count - told) }, next);
    const since = performance.now();
    const conflicts = await log.record(batch);
    ms += performance.now() - since;
    if (conflicts.length > 0) throw new Error(`an event was left out: ${conflicts[0]?.reason}`);
  }
  return (count * 1_000) / ms;
}

/** Adds a feature to a set, or removes it if the set has it. */
function toggled(set: SetEvents, index: number): RecordedEvent {
  const feature = featureOf(Math.floor(index / 7));
  return set.has(feature) ? set.changes({ remove: [feature] }) : set.changes({ add: [feature] });
}

async function median(times: number, ask: (index: number) => Promise<unknown>): Promise<number> {
  const millis: number[] = [];
  for (let index = 0; index < times; index++) {
    const since = performance.now();
    await ask(index);
    millis.push(performance.now() - since);
  }
  return spreadOf(millis).median;
}
