import { describe, expect, it } from "vitest";
import { viewInstances } from "../../../src/application/system/view-instances.ts";
import type { InstanceProcess } from "../../../src/domain/evaluation/invalidation-feed.ts";

const process = (host: string, instance: number, pid: number, startedAt = 1_000): InstanceProcess => ({
  ...{ host, instance, pid, startedAt },
  version: "1.0.0",
});
const own = process("b", 10, 11);

describe("ViewInstances", () => {
  it("joins the connections and workers of each instance, and lists its own first", async () => {
    const first = [own, process("b", 10, 12, 900), process("a", 1, 1), own];
    const second = [process("a", 1, 1), process("a", 7, 7)];
    const calls = [
      { processes: first, unnamed: 0, missing: 0 },
      { processes: second, unnamed: 2, missing: 1 },
    ];
    const view = viewInstances(
      own,
      async () => calls,
      () => 5_000,
    );
    expect(await view()).toEqual({
      instances: [
        { host: "b", pid: 10, version: "1.0.0", startedAt: 900, workers: [11, 12], lastSeen: 5_000, isOwn: true },
        { host: "a", pid: 1, version: "1.0.0", startedAt: 1_000, workers: [1], lastSeen: 5_000, isOwn: false },
        { host: "a", pid: 7, version: "1.0.0", startedAt: 1_000, workers: [7], lastSeen: 5_000, isOwn: false },
      ],
      unnamed: 2,
      missing: 1,
    });
  });

  it("lists only itself where nothing connects the processes", async () => {
    const nothing = [{ processes: [], unnamed: 0, missing: undefined }];
    const { instances, missing } = await viewInstances(
      own,
      async () => nothing,
      () => 5_000,
    )();
    expect([instances.length, instances[0]?.isOwn, missing]).toEqual([1, true, undefined]);
  });

  it("keeps an instance that no longer answers for ten minutes", async () => {
    let now = 0;
    let others = [process("a", 1, 1)];
    const view = viewInstances(
      own,
      async () => [{ processes: others, unnamed: 0, missing: 0 }],
      () => now,
    );
    await view();
    others = [];
    now = 600_000;
    expect((await view()).instances.map(({ host, lastSeen }) => [host, lastSeen])).toEqual([
      ["b", 600_000],
      ["a", 0],
    ]);
    now += 1;
    expect((await view()).instances.map(({ host }) => host)).toEqual(["b"]);
  });
});
