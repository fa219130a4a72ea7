import { describe, expect, it } from "vitest";
import { DeclaredReads } from "../../src/application/evaluation/declared-reads.ts";
import type { EvaluationContext } from "../../src/domain/evaluation/evaluation-context.ts";
import type { FeatureResolver } from "../../src/domain/evaluation/feature-resolver.ts";
import { checkResult } from "../../src/domain/evaluation/source-result.ts";

/** A resolver in a state that the contract can check. */
export type FeatureResolverUnderTest = {
  readonly resolver: FeatureResolver;
  /** A context for which exactly these features are on. */
  readonly context: EvaluationContext;
  readonly on: readonly string[];
  /** Features that the resolver lists as off for the context, if it lists any. */
  readonly off?: readonly string[];
};

/**
 * The contract of FeatureResolver, for every kind. `open` is called for each test; `away` returns the same resolver
 * while its dependency is unavailable, if it has one.
 */
export function featureResolverContract(
  open: () => Promise<FeatureResolverUnderTest>,
  away?: () => Promise<FeatureResolver>,
): void {
  describe("FeatureResolver", () => {
    it("returns the features that are on", async () => {
      const { resolver, context, on } = await open();
      const { features } = await resolver.resolve(context);
      expect(
        [...features]
          .filter(([, { on }]) => on)
          .map(([feature]) => feature)
          .sort(),
      ).toEqual([...on].sort());
    });

    it("returns off only for listed features, and omits all others", async () => {
      const { resolver, context, on, off = [] } = await open();
      const { features } = await resolver.resolve(context);
      expect([...features.keys()].sort()).toEqual([...on, ...off].sort());
      for (const inherited of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
        expect(features.has(inherited)).toBe([...on, ...off].includes(inherited));
      }
    });

    it("returns servable keys, with a value and a reason for each", async () => {
      const { resolver, context } = await open();
      const result = await resolver.resolve(context);
      checkResult(result);
      const { features } = result;
      for (const { value, reason } of features.values()) {
        expect(value).not.toBeUndefined();
        expect(["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "DEFAULT"]).toContain(reason);
      }
    });

    it("returns equal results for equal contexts", async () => {
      const { resolver, context } = await open();
      const { features } = await resolver.resolve(context);
      expect((await resolver.resolve(context)).features).toEqual(features);
    });

    it("reads no context field that varyBy lacks", async () => {
      const { resolver, context } = await open();
      const undeclared: string[] = [];
      const observed = DeclaredReads.of(resolver, (fields) => undeclared.push(...fields));
      for (const each of [context, { ...full, ...context }, { at: 0 }]) await observed.resolve(each);
      expect(undeclared).toEqual([]);
    });

    it("does not change the context", async () => {
      const { resolver, context } = await open();
      await resolver.resolve(Object.freeze({ ...context }));
    });

    it("accepts a context with an instant only", async () => {
      const { resolver, on, off = [] } = await open();
      const { features } = await resolver.resolve({ at: 0 });
      for (const feature of features.keys()) expect([...on, ...off]).toContain(feature);
    });

    if (away) {
      it("rejects if its data is unavailable", async () => {
        const { context } = await open();
        const resolver = await away();
        await expect((async () => resolver.resolve(context))()).rejects.toThrow();
      });
    }
  });
}

/** A context with all fields. */
const full: EvaluationContext = {
  at: 0,
  userId: "other",
  targetingKey: "other",
  locations: ["elsewhere"],
  ip: "192.0.2.1",
  attributes: { another: "attribute" },
};
