import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CheckChanges } from "../../../src/application/evaluation/check-changes.ts";
import { StorePermissionDenied, StoreReadOnly } from "../../../src/domain/errors.ts";

describe("CheckChanges", () => {
  it("returns whether each store accepts changes, and reports each transition once", async () => {
    const notified: string[] = [];
    const faults: Record<string, Error | undefined> = {};
    const stores = ["users", "features"].map((name) => ({
      name,
      probe: async () => {
        if (faults[name]) throw faults[name];
      },
    }));
    const check = new CheckChanges(stores, {
      rejected: (store, reason) => void notified.push(`${store}: ${reason}`),
      accepted: (store) => void notified.push(`${store}: accepted`),
    });
    const accepted = { state: "accepted" };
    const checkTwice = async () => (await check.check()) && check.check();
    expect(await checkTwice()).toEqual({ users: accepted, features: accepted });
    faults["features"] = new StoreReadOnly("it is a replica");
    const replica = { state: "refused", reason: "it is a replica" };
    expect(await checkTwice()).toEqual({ users: accepted, features: replica });
    faults["features"] = new StorePermissionDenied("the user may not run SADD");
    faults["users"] = new Error("the store is away");
    const denied = { state: "refused", reason: "the user may not run SADD" };
    expect(await checkTwice()).toEqual({ users: { state: "unknown" }, features: denied });
    faults["features"] = faults["users"] = undefined;
    expect(await checkTwice()).toEqual({ users: accepted, features: accepted });
    expect(notified).toEqual([
      "features: it is a replica",
      "features: the user may not run SADD",
      "features: accepted",
    ]);
  });

  describe("while a store does not respond", () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    const checkOf = (probe: () => Promise<void>) => {
      const notified: string[] = [];
      const rejected = (store: string, reason: string) => void notified.push(`${store}: ${reason}`);
      return { check: new CheckChanges([{ name: "users", probe }], { rejected, accepted: () => {} }), notified };
    };

    it("checks again every second until it has responded", async () => {
      const outcomes = [new Error("no response"), new Error("no response"), new StoreReadOnly("it is a replica")];
      const { check: checked, notified } = checkOf(() => Promise.reject(outcomes.shift()));
      using check = checked;
      await check.checkUntilKnown();
      await vi.advanceTimersByTimeAsync(1_999);
      expect([notified, outcomes.length]).toEqual([[], 1]);
      await vi.advanceTimersByTimeAsync(1);
      expect([notified, vi.getTimerCount()]).toEqual([["users: it is a replica"], 0]);
    });

    it("stops when it is disposed of, also during a check", async () => {
      const { promise, reject } = Promise.withResolvers<void>();
      const { check } = checkOf(() => promise);
      const checked = check.checkUntilKnown();
      check[Symbol.dispose]();
      reject(new Error("no response"));
      await checked;
      expect(vi.getTimerCount()).toBe(0);
    });
  });
});
