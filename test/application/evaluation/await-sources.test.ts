import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { awaitSources } from "../../../src/application/evaluation/await-sources.ts";
import type { Source } from "../../../src/domain/evaluation/source.ts";
import { emptyResult } from "../../../src/domain/evaluation/source-result.ts";

const rule = { role: "grant", gatedBy: [], default: "deny", onFailure: "fail", timeoutMs: 250 } as const;
/** A source whose first result arrives some time after its start. */
function background(name: string, afterMs: number) {
  let [result, begun] = [false, 0];
  const source: Source = {
    ...rule,
    name,
    resolver: {
      resolve: () => {
        if (!result) throw new Error("it has no result yet");
        return emptyResult;
      },
    },
  };
  const begin = () => {
    begun += 1;
    setTimeout(() => {
      result = true;
    }, afterMs);
  };
  return { source, background: { source: name, begin }, isReady: () => result, begun: () => begun };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("starts the background work of sources, and waits for their first results", async () => {
  const all = [background("one", 50), background("other", 100)];
  const wait = awaitSources(
    all.map(({ source }) => source),
    all.map((each) => each.background),
    Date.now,
  );
  const first = wait();
  await vi.advanceTimersByTimeAsync(150);
  await first;
  expect(all.map((each) => [each.isReady(), each.begun()])).toEqual([
    [true, 1],
    [true, 1],
  ]);
  await wait();
  expect(all.map((each) => each.begun())).toEqual([1, 1]);
});

it("waits at most 3 s", async () => {
  const late = background("late", 60_000);
  let isOver = false;
  const waiting = awaitSources([late.source], [late.background], Date.now)().then(() => {
    isOver = true;
  });
  await vi.advanceTimersByTimeAsync(2_900);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  await waiting;
  expect(late.isReady()).toBe(false);
});
