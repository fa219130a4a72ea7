import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import type { Freshness } from "../../../src/application/evaluation/freshness.ts";
import { WatchEvaluations } from "../../../src/application/streams/watch-evaluations.ts";
import { until } from "../../support/until.ts";

function feedOfChanges() {
  let listener = (_key: string | undefined) => {};
  return {
    notify() {
      this.generation += 1;
      listener(undefined);
    },
    epoch: 0,
    generation: 0,
    isLive: () => true,
    syncedUntil: () => performance.now(),
    subscribe: (given: typeof listener) => {
      listener = given;
    },
  };
}

/** A result that another evaluation would repeat, as long as a condition holds. */
const evaluatedWhile = (digest: string, isRepeatable: () => boolean) => ({
  digest,
  changesAt: undefined,
  freshness: { isCurrent: isRepeatable, isRepeatable } as unknown as Freshness,
});

const failed = (cause: unknown) => expect.fail(String(cause));
const rejected = () => expect.fail("no token is rejected");

it("reads a changed value once for all watched evaluations", async () => {
  const callers = 100;
  let reads = 0;
  let version = 0;
  let cached = 0;
  const feed = feedOfChanges();
  const evaluationOf = (of: number) => evaluatedWhile(`${of}`, () => of === version);
  const evaluate = async () => {
    if (cached !== version) {
      reads += 1;
      await setTimeout(20);
      cached = version;
    }
    return evaluationOf(cached);
  };
  const watch = new WatchEvaluations([feed], Date.now, failed);
  let changed = 0;
  const stops = Array.from({ length: callers }, () =>
    watch.start({ evaluate, changed: () => (changed += 1), rejected }, evaluationOf(0)),
  );
  version = 1;
  feed.notify();
  await until(() => changed === callers, "all callers are notified");
  expect(reads).toBe(1);
  for (const stop of stops) stop();
});

it("keeps an evaluation that another one would repeat, because a store is unavailable", async () => {
  const feed = feedOfChanges();
  const watch = new WatchEvaluations([feed], Date.now, failed);
  let isAway = true;
  const last = evaluatedWhile("old", () => isAway);
  const stale = { ...last, freshness: { ...last.freshness, isCurrent: () => false } as unknown as Freshness };
  let changed = "";
  const evaluate = async () => evaluatedWhile(isAway ? "too early" : "new", () => true);
  const stop = watch.start({ evaluate, changed: ({ digest }) => (changed = digest), rejected }, stale);
  let evaluations = 0;
  const again = async () => {
    evaluations += 1;
    const { generation } = feed;
    return evaluatedWhile("other", () => feed.generation === generation);
  };
  const stopOther = watch.start({ evaluate: again, changed: () => {}, rejected });
  feed.notify();
  await until(() => evaluations === 2, "another one is evaluated again");
  expect(changed).toBe("");
  isAway = false;
  feed.notify();
  await until(() => changed === "new", "the store is back");
  stop();
  stopOther();
});
