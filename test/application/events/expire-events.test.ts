import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { v7 as uuidv7 } from "uuid";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ExpireEvents, type ExpiryOptions } from "../../../src/application/events/expire-events.ts";
import { type OpenEventLog, openEventLog } from "../../../src/infrastructure/event-log/open-event-log.ts";
import { anEvent } from "../../support/events.ts";
import { until } from "../../support/until.ts";

const day = 86_400_000;
const now = 1_700_000_000_000;

describe("expiring the event log", () => {
  let folder: string;
  let eventLog: OpenEventLog;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-expiry-"));
    eventLog = openEventLog({ kind: "sqlite", file: join(folder, "events.db") });
  });
  afterEach(async () => {
    await eventLog[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const expiring = (options: Partial<ExpiryOptions> = {}) =>
    new ExpireEvents(eventLog.log, {
      days: 30,
      environment: "production",
      newId: uuidv7,
      now: () => now,
      failed: () => {},
      ...options,
    });

  it("removes events past the retention, and appends an event about it", async () => {
    for (const days of [40, 31, 30, 1]) await eventLog.log.append(anEvent({ at: now - days * day }));
    expect(await expiring().expire()).toBe(2);
    expect(await expiring().expire()).toBe(0);
    const left = await eventLog.log.follow({}, 10, 0);
    expect(left.map(({ at }) => (now - at) / day)).toEqual([30, 1, 0]);
    expect(left.at(-1)).toMatchObject({
      component: "tidegate",
      environment: "production",
      email: "external@tidegate.invalid",
      message: "events before 2023-10-15T22:13:20.000Z were removed (retention: 30 days)",
      data: { type: "expired", before: "2023-10-15T22:13:20.000Z", days: 30, position: 2 },
      recordedBy: "external",
    });
    expect(await eventLog.log.verify()).toMatchObject({ isSound: true, start: { position: 2 } });
  });

  it("repeats, even after a failure, until stopped", async () => {
    let time = now;
    const faults: unknown[] = [];
    const expiry = expiring({ now: () => time, afterStartMs: 1, everyMs: 5, failed: (fault) => faults.push(fault) });
    await eventLog.log.append(anEvent({ at: now - 31 * day }));
    expiry.start();
    const oldest = async () => (await eventLog.log.follow({}, 1, 0))[0]?.at;
    await until(async () => (await oldest()) === now, "the first is removed");
    time = Number.NaN;
    await until(() => faults.length > 0, "a round fails");
    time = now + 31 * day;
    await until(async () => (await oldest()) === time, "the next is removed");
    expiry.stop();
  });
});
