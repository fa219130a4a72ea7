import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { v7 as uuidv7 } from "uuid";
import type { EventFilter } from "../../src/domain/activity.ts";
import { openActivity } from "../../src/infrastructure/activity/activity.ts";
import { SetTold, toldEvent } from "../../test/support/events.ts";
import { startPostgresProcess } from "../../test/support/postgres-process.ts";
import { until } from "../../test/support/until.ts";
import { type Spread, spreadOf } from "../spread.ts";

const pageSize = 50;
const busyEvents = 10_000;
const times = 200;
const startedAt = 1_700_000_000_000;

/** What the log does in a database that holds some events. Times are in milliseconds. */
export type LogFigures = {
  readonly events: number;
  readonly recordedPerSecond: number;
  readonly primaryKey: Spread;
  readonly pages: Readonly<Record<string, Spread>>;
  /** A set of 10,000 events as it was at an instant, and who turned each of its features. */
  readonly past: { readonly set: Spread; readonly turns: Spread };
};

export async function logOn(kind: "postgres" | "sqlite", events: number): Promise<LogFigures> {
  await using opened = new AsyncDisposableStack();
  const place = await placeFor(kind, opened);
  const { log, history, ...activity } = opened.use(openActivity(place));
  void activity;
  const answers = () =>
    log.check().then(
      () => true,
      () => false,
    );
  await until(answers, "the database answers", 60_000);

  const before = performance.now();
  for (let from = 0; from < events; from += 1_000) await log.record(callers(from, Math.min(1_000, events - from)));
  const recordedPerSecond = (1_000 * events) / (performance.now() - before);
  const set = new SetTold("location:busy");
  await log.record([set.begins()]);
  for (let from = 0; from < busyEvents; from += 1_000) {
    await log.record(Array.from({ length: 1_000 }, (_, index) => flip(set, from + index)));
  }

  const ids = (await log.find({}, pageSize)).map(({ id }) => id);
  const any = () => 1 + Math.floor(Math.random() * events);
  const page = (filter: EventFilter) => timed(() => log.find(filter, pageSize, any()));
  const hour = () => startedAt + Math.floor(Math.random() * events) * 1_000;
  return {
    events,
    recordedPerSecond,
    primaryKey: await timed((index) => log.one(ids[index % ids.length] ?? "")),
    pages: {
      "of all": await page({}),
      "of a component": await page({ component: "orders" }),
      "of an email": await page({ email: "person.7@shop.example" }),
      "of an environment": await page({ environment: "staging" }),
      "of a feature": await timed(() => log.find({ feature: "feature_7" }, pageSize)),
      "of a key": await timed(() => log.find({ key: "location:busy" }, pageSize)),
      "of an hour": await timed(() => {
        const from = hour();
        return log.find({ from, to: from + 3_600_000 }, pageSize);
      }),
    },
    past: {
      set: await timed(() => history.setAt("features", "location:busy", anyTime(set)), 50),
      turns: await timed(() => history.turns("features", "location:busy", anyTime(set)), 50),
    },
  };
}

async function placeFor(kind: "postgres" | "sqlite", opened: AsyncDisposableStack) {
  if (kind === "postgres") {
    const { url, stop } = await startPostgresProcess();
    opened.defer(stop);
    return { kind, url };
  }
  const folder = opened.use(await mkdtempDisposable(join(tmpdir(), "tidegate-bench-log-")));
  return { kind, file: join(folder.path, "activity.db") };
}

/** Events of a shop of 200 people, most of them of tokens, which say as much as others do. */
const callers = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => {
    const number = from + index;
    const told = toldEvent({
      component: number % 10 === 0 ? "orders" : "tidegate",
      environment: number % 5 === 0 ? "staging" : "production",
      email: `person.${number % 200}@shop.example`,
      at: startedAt + number * 1_000,
    });
    const id = uuidv7();
    const record = { of: "token", id, by: "shop", at: told.at, tokenId: id, userId: `${number}` } as const;
    const change = {
      store: "users",
      record: { ...record, origin: "issued", revision: { epoch: id, number: 1 } },
    } as const;
    return { ...told, id, change };
  });

/** One of 500 features goes in or out. */
function flip(set: SetTold, index: number) {
  const feature = `feature_${index % 500}`;
  return set.changes(Math.floor(index / 500) % 2 === 0 ? { add: [feature] } : { remove: [feature] });
}

const anyTime = (set: SetTold): number => set.at - Math.floor(Math.random() * busyEvents) * 1_000;

async function timed(task: (index: number) => Promise<unknown>, count = times): Promise<Spread> {
  const found: number[] = [];
  for (let index = -10; index < count; index++) {
    const before = performance.now();
    await task(index + 10);
    if (index >= 0) found.push(performance.now() - before);
  }
  return spreadOf(found);
}
