import { describe, expect, it } from "vitest";
import { FeatureChanges } from "../../../src/application/features/feature-changes.ts";
import type { SetRecord } from "../../../src/domain/admin/change.ts";
import type { Event } from "../../../src/domain/events/event.ts";

const recordAt = (at: number): SetRecord => ({
  of: "set",
  ...{ id: `event-${at}`, by: "anna", at, revision: { epoch: "epoch", number: at } },
  ...{ key: "global_features", origin: "change", added: ["a"], removed: [], size: 1 },
});

const eventAt = (position: number): Event => ({
  id: `event-${position}`,
  component: "features",
  environment: "test",
  email: "",
  message: "",
  data: {},
  at: position,
  recordedBy: "anna",
  position,
  change: { store: "features", record: recordAt(position) },
  hash: "",
});

/** A log whose features changed at positions, and the calls that read it. */
function setUp() {
  const log = {
    last: new Map<string, number>(),
    upTo: 0,
    gate: Promise.resolve(),
    fault: undefined as Error | undefined,
  };
  const reads: string[] = [];
  const changes = new FeatureChanges(
    {
      at: async (positions) => {
        reads.push(`at ${positions}`);
        return positions.map(eventAt);
      },
    },
    {
      changedFeatures: async (_store, after) => {
        reads.push(`after ${after}`);
        const { upTo } = log;
        const positions = new Map([...log.last].filter(([, position]) => position > after));
        await log.gate;
        if (log.fault) throw log.fault;
        return { positions, upTo };
      },
    },
    ["features"],
  );
  const change = (feature: string) => {
    log.upTo += 1;
    log.last.set(feature, log.upTo);
  };
  const positions = async (isUrgent = false) => {
    const found = await changes.positions(isUrgent);
    return found && Object.fromEntries(found);
  };
  return { log, reads, changes, change, positions };
}

describe("the last changes of features", () => {
  it("are read from where the last call ended", async () => {
    const { reads, change, positions } = setUp();
    change("a");
    change("b");
    expect(await positions()).toEqual({ a: 1, b: 2 });
    change("a");
    expect(await positions()).toEqual({ a: 3, b: 2 });
    expect(reads).toEqual(["after 0", "after 2"]);
  });

  it("are read again from the start if the log was replaced", async () => {
    const { log, change, positions } = setUp();
    change("a");
    change("b");
    await positions();
    log.last.clear();
    log.upTo = 0;
    change("c");
    expect(await positions()).toEqual({ c: 1 });
  });

  it("are the last known ones for an urgent call while the log is busy, and complete later", async () => {
    const { log, change, positions } = setUp();
    change("a");
    await positions();
    change("b");
    const { promise, resolve } = Promise.withResolvers<void>();
    log.gate = promise;
    expect(await positions(true)).toEqual({ a: 1 });
    resolve();
    expect(await positions()).toEqual({ a: 1, b: 2 });
  });

  it("are unknown while the log fails", async () => {
    const { log, change, positions } = setUp();
    change("a");
    await positions();
    log.fault = new Error("away");
    expect(await positions()).toBeUndefined();
    expect(await positions(true)).toBeUndefined();
    log.fault = undefined;
    expect(await positions()).toEqual({ a: 1 });
  });

  it("are read once for each position", async () => {
    const { reads, changes } = setUp();
    expect((await changes.at([1, 2])).get(2)).toEqual({ event: "event-2", at: 2, by: "anna", origin: "change" });
    expect((await changes.at([2, 3])).get(3)?.event).toBe("event-3");
    expect(reads).toEqual(["at 1,2", "at 3"]);
  });
});
