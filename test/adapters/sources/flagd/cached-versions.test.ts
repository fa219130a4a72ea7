import { FeatureFlag } from "@openfeature/flagd-core";
import { expect, it, vi } from "vitest";
import { withCachedVersions } from "../../../../src/adapters/sources/flagd/cached-versions.ts";

const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

type Comparison = (operands: unknown[], context: unknown) => unknown;
type Engine = { addMethod(name: string, method: Comparison): void };

const flagWith = (operator: string, version: string): FeatureFlag =>
  new FeatureFlag(
    "flag",
    {
      state: "ENABLED",
      variants: { on: true, off: false },
      defaultVariant: "off",
      targeting: { if: [{ sem_ver: [{ var: "version" }, operator, version] }, "on"] } as never,
    },
    silent,
    { disableDynamicCodeGeneration: true },
  );

const versions = ["1.2.3", "v1.2.3", "1.2", "1", "2.0.0-rc.1", "2.0.0", "10.0.0", "no version", "", 2, 1.5, null];

it.each(["=", "!=", "<", "<=", ">", ">=", "^", "~", "?"])("compares by %s as flagd's library does", (operator) => {
  for (const other of ["1.2.3", "2.0.0", "1.2", "none"]) {
    const [plain, cached] = [flagWith(operator, other), withCachedVersions(flagWith(operator, other))];
    for (const version of [...versions, ...versions]) {
      expect(cached.evaluate({ version }, silent)).toEqual(plain.evaluate({ version }, silent));
    }
  }
});

it("compares the same versions once for all flags", () => {
  const compare = vi.fn<Comparison>(() => true);
  const flags = Array.from({ length: 10 }, () => {
    const flag = flagWith(">", "7.7.7");
    const { _engine: engine } = (flag as unknown as { _targeting: { _engine: Engine } })._targeting;
    engine.addMethod("sem_ver", compare);
    return withCachedVersions(flag);
  });
  for (const flag of flags) expect(flag.evaluate({ version: "8.0.0" }, silent).variant).toBe("on");
  expect(compare).toHaveBeenCalledTimes(1);
});
