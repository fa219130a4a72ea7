import { expect, it } from "vitest";
import { CheckInstance, type WorkerReadiness } from "../../../src/application/system/check-instance.ts";

const fine: WorkerReadiness = {
  ready: true,
  log: "answering",
  connections: { features: "answering" },
  sources: { global: "answering", rules: "answering" },
  faults: {},
};
const bad: WorkerReadiness = {
  ready: false,
  log: "failing",
  connections: { features: "failing" },
  sources: { global: "answering", rules: "failing" },
  faults: { rules: ["flag a: no variants"] },
};

const instance = (own: WorkerReadiness, gather: () => Promise<{ reports: WorkerReadiness[]; missing: number }>) =>
  new CheckInstance(gather, { check: async () => own }, { log: async () => own.log });

it("an instance is in the worst state of its workers, whichever of them responds", async () => {
  for (const [own, other] of [
    [fine, bad],
    [bad, fine],
  ] as const) {
    const gather = async () => ({ reports: [own, other], missing: 0 });
    expect(await instance(own, gather).check()).toEqual(bad);
  }
  expect(await instance(fine, async () => ({ reports: [fine, fine], missing: 1 })).check()).toEqual(fine);
});

it("a worker reports its own state while the primary process does not respond", async () => {
  expect(await instance(bad, () => Promise.reject(new Error("no response"))).check()).toEqual(bad);
  expect(await instance(fine, () => new Promise(() => {})).check()).toEqual(fine);
});
