import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import type { Freshness } from "../../../src/application/evaluation/freshness.ts";
import { WatchEvaluations } from "../../../src/application/streams/watch-evaluations.ts";
import { until } from "../../support/until.ts";

it("reads a changed value once for all watched evaluations", async () => {
  const callers = 100;
  let reads = 0;
  let version = 0;
  let cached = 0;
  let listener = (_key: string | undefined) => {};
  const feed = {
    notify: () => listener(undefined),
    epoch: 0,
    generation: 0,
    isLive: () => true,
    syncedUntil: () => performance.now(),
    subscribe: (given: typeof listener) => {
      listener = given;
    },
  };
  const evaluationOf = (of: number) => ({
    digest: `${of}`,
    changesAt: undefined,
    freshness: { isCurrent: () => of === version } as unknown as Freshness,
  });
  const evaluate = async () => {
    if (cached !== version) {
      reads += 1;
      await setTimeout(20);
      cached = version;
    }
    return evaluationOf(cached);
  };
  const watch = new WatchEvaluations([feed], Date.now, (cause) => expect.fail(String(cause)));
  let changed = 0;
  const rejected = () => expect.fail("no token is rejected");
  const stops = Array.from({ length: callers }, () =>
    watch.start({ evaluate, changed: () => (changed += 1), rejected }, evaluationOf(0)),
  );
  version = 1;
  feed.generation += 1;
  feed.notify();
  await until(() => changed === callers, "all callers are notified");
  expect(reads).toBe(1);
  for (const stop of stops) stop();
});
