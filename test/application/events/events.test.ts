import { afterEach, describe, expect, it } from "vitest";
import { ReadEvents } from "../../../src/application/events/read-events.ts";
import { TailEvents } from "../../../src/application/events/tail-events.ts";
import { EventLogUnavailable } from "../../../src/domain/errors.ts";
import type { Event, EventFilter } from "../../../src/domain/events/event.ts";
import type { EventLog } from "../../../src/domain/events/event-log.ts";
import { until } from "../../support/until.ts";

const eventAt = (position: number): Event => ({
  id: `${position}`,
  component: "order",
  environment: "production",
  email: "ade@gmail.com",
  message: "order failed",
  data: {},
  at: position,
  recordedBy: "admin",
  position,
  hash: `${position}`,
});

/** A log of any number of events, which can become unavailable and counts its queries. */
class LongLog {
  length: number;
  isAway = false;
  heads = 0;
  follows = 0;

  constructor(length: number) {
    this.length = length;
  }

  async head() {
    this.heads += 1;
    if (this.isAway) throw new Error("away");
    return { position: this.length, hash: "" };
  }

  async follow(_: EventFilter, limit: number, after: number): Promise<readonly Event[]> {
    this.follows += 1;
    if (this.isAway) throw new Error("away");
    return Array.from({ length: Math.min(limit, this.length - after) }, (__, index) => eventAt(after + index + 1));
  }

  get port(): EventLog {
    return this as unknown as EventLog;
  }
}

describe("reading all events", () => {
  it("reads the next page on demand only", async () => {
    const log = new LongLog(1_000_000_000);
    const all = await new ReadEvents(log.port, async () => {}).all({});
    expect(log.follows).toBe(0);
    let taken = 0;
    for await (const events of all) {
      taken += events.length;
      if (taken >= 5_000) break;
    }
    expect(log.follows).toBe(5_000 / 100);
  });

  it("ends at the head at the time of the call", async () => {
    const log = new LongLog(1_234);
    const all = await new ReadEvents(log.port, async () => {}).all({});
    const positions: number[] = [];
    for await (const events of all) {
      log.length += 700;
      positions.push(...events.map(({ position }) => position));
    }
    expect(positions).toEqual(Array.from({ length: 1_234 }, (_, index) => index + 1));
  });

  it("rejects if the log fails, instead of ending early", async () => {
    const log = new LongLog(10_000);
    const read = new ReadEvents(log.port, async () => {});
    const all = await read.all({});
    const taking = async () => {
      for await (const _ of all) log.isAway = true;
    };
    await expect(taking()).rejects.toThrow(EventLogUnavailable);
    await expect(read.all({})).rejects.toThrow(EventLogUnavailable);
    await expect(read.head()).rejects.toThrow(EventLogUnavailable);
  });

  it("waits for pending changes up to a limit, and not after a failure", async () => {
    const log = new LongLog(1);
    let isThere = false;
    const waits = new ReadEvents(log.port, async () => {
      isThere = true;
    });
    await waits.all({});
    expect(isThere).toBe(true);
    const begun = performance.now();
    await new ReadEvents(log.port, () => new Promise(() => {})).all({});
    expect(performance.now() - begun).toBeLessThan(10_000);
    await new ReadEvents(log.port, () => Promise.reject(new Error("the store is away"))).all({});
  });
});

describe("following events", () => {
  const readers: AbortController[] = [];
  afterEach(() => {
    for (const reader of readers) reader.abort();
  });

  async function follow(tail: TailEvents, after: number, head: number, into: number[]): Promise<void> {
    const reader = new AbortController();
    readers.push(reader);
    for await (const events of tail.follow({}, after, head, reader.signal)) {
      into.push(...events.map(({ position }) => position));
    }
  }

  it("shares one query among readers", async () => {
    const log = new LongLog(10);
    const tail = new TailEvents(log.port);
    const seen = Array.from({ length: 50 }, (): number[] => []);
    const following = seen.map((into) => follow(tail, 10, 10, into));
    log.length = 20;
    await until(() => seen.every((into) => into.length === 10), "all readers have them");
    expect([log.follows, log.heads]).toEqual([1, 1]);
    for (const reader of readers) reader.abort();
    await Promise.all(following);
  });

  it("continues at its position after an outage of the log", async () => {
    const log = new LongLog(40);
    const seen: number[] = [];
    const following = follow(new TailEvents(log.port), 0, 40, seen);
    await until(() => seen.length === 40, "the existing events are sent");
    log.isAway = true;
    const { heads } = log;
    log.length = 90;
    await until(() => log.heads > heads + 1, "the log was queried in vain");
    log.isAway = false;
    await until(() => seen.length === 90, "the other events are sent");
    expect(seen).toEqual(Array.from({ length: 90 }, (_, index) => index + 1));
    for (const reader of readers) reader.abort();
    await following;
  });
});
