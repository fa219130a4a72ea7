import { describe, expect, it } from "vitest";
import { CheckReadiness } from "../../../src/application/evaluation/check-readiness.ts";
import type { ManagedSource } from "../../../src/domain/admin/managed-source.ts";
import { emptyResult } from "../../../src/domain/evaluation/source-result.ts";

const fine = async () => {};
const away = () => Promise.reject(new Error("away"));

function readiness(
  connections: Record<string, () => Promise<void>>,
  sources: Partial<ManagedSource>[],
  hasSnapshot = (_name: string) => false,
) {
  const whole = sources.map(
    (source): ManagedSource => ({
      name: "source",
      role: "grant",
      gatedBy: [],
      default: "deny",
      onFailure: "fail",
      timeoutMs: 20,
      kind: "static",
      faults: () => [],
      resolver: { resolve: () => emptyResult },
      ...source,
    }),
  );
  const dependencies = Object.entries(connections).map(([name, check]) => ({
    name,
    check,
    hasSnapshot: () => hasSnapshot(name),
  }));
  return new CheckReadiness(dependencies, whole, () => 0);
}

describe("readiness", () => {
  it("is ready if each connection and source responds", async () => {
    expect(await readiness({ users: fine, features: fine }, [{ name: "global" }]).check()).toEqual({
      ready: true,
      connections: { users: "answering", features: "answering" },
      sources: { global: "answering" },
      faults: {},
    });
  });

  it("is ready despite faults of single features, and returns them", async () => {
    const sources = [{ name: "flags", faults: () => ['flag "menu": variants is missing'] }, { name: "sound" }];
    expect(await readiness({}, sources).check()).toMatchObject({
      ready: true,
      faults: { flags: ['flag "menu": variants is missing'] },
    });
  });

  it("is not ready while a connection is down, even an unused one", async () => {
    const { ready, connections } = await readiness({ users: away, features: fine }, [{ name: "global" }]).check();
    expect(ready).toBe(false);
    expect(connections).toEqual({ users: "failing", features: "answering" });
  });

  it("is ready without a connection that a snapshot covers, if the sources respond", async () => {
    const check = (sources: Partial<ManagedSource>[], remembered: string) =>
      readiness({ users: fine, features: away }, sources, (name) => name === remembered).check();
    expect(await check([{ name: "global" }], "features")).toMatchObject({
      ready: true,
      connections: { features: "failing" },
    });
    expect((await check([{ name: "global" }], "users")).ready).toBe(false);
    expect((await check([{ name: "global", resolver: { resolve: () => away() as never } }], "features")).ready).toBe(
      false,
    );
  });

  it("is not ready while a source fails or hangs", async () => {
    const failing = { name: "global", resolver: { resolve: () => Promise.reject(new Error("no")) } };
    const hanging = { name: "slow", resolver: { resolve: () => new Promise<never>(() => {}) } };
    expect(await readiness({}, [failing, hanging]).check()).toEqual({
      ready: false,
      connections: {},
      sources: { global: "failing", slow: "failing" },
      faults: {},
    });
  });

  it("is ready without a source that may be skipped", async () => {
    const optional = {
      name: "feed",
      onFailure: "skip" as const,
      resolver: { resolve: () => Promise.reject(new Error()) },
    };
    expect(await readiness({}, [optional]).check()).toMatchObject({ ready: true, sources: { feed: "failing" } });
  });

  it("is ready again after a recovery", async () => {
    let answering = false;
    const check = readiness({ users: () => (answering ? fine() : away()) }, []);
    expect((await check.check()).ready).toBe(false);
    answering = true;
    expect((await check.check()).ready).toBe(true);
  });

  it("shares one check among concurrent callers", async () => {
    let asked = 0;
    const check = readiness({ users: async () => void asked++ }, []);
    await Promise.all([check.check(), check.check(), check.check()]);
    expect(asked).toBe(1);
  });
});
