import { describe, expect, it } from "vitest";
import { evaluateFor } from "../../../../src/adapters/http/client/evaluate-for.ts";
import type { IdentifyOperator } from "../../../../src/application/admin/identify-operator.ts";
import type { Caller } from "../../../../src/application/evaluation/identify-caller.ts";
import type { Scope } from "../../../../src/domain/admin/credential.ts";
import { SourceUnavailable, TokenRejected } from "../../../../src/domain/errors.ts";

/** Evaluates with one client token, and one credential per scope, named after it. */
async function callerOf(secret: string | undefined): Promise<{ caller: Caller; lookups: readonly string[] }> {
  const lookups: string[] = [];
  const operators = {
    identify: async (each: string) => {
      const [, scope] = each.split("_");
      return scope ? { name: each, scope: scope as Scope } : undefined;
    },
    digestOf: (each: string) => each,
  } as Pick<IdentifyOperator, "identify" | "digestOf"> as IdentifyOperator;
  const caller = await evaluateFor(secret, operators, "evaluator", { userId: "7" }, async (asked) => {
    if (asked && "token" in asked) {
      lookups.push(asked.token);
      if (asked.token === "lost") throw new SourceUnavailable("tokens", new Error("lost"));
      if (asked.token !== "1234") throw new TokenRejected();
    }
    return asked;
  });
  return { caller, lookups };
}

describe("evaluating for the holder of a secret", () => {
  it("evaluates for everyone without a secret", async () => {
    expect((await callerOf(undefined)).caller).toBeUndefined();
  });

  it("evaluates for the user of a client token", async () => {
    expect((await callerOf("1234")).caller).toEqual({ token: "1234" });
  });

  it.each<Scope>(["evaluator", "viewer", "editor", "admin"])(
    "evaluates for the named user with a credential of scope %s, without a lookup among tokens",
    async (scope) => {
      expect(await callerOf(`tgc_${scope}`)).toEqual({ caller: { userId: "7" }, lookups: [] });
    },
  );

  it("accepts a credential without the usual prefix, if it is not a token", async () => {
    expect(await callerOf("own_evaluator")).toEqual({ caller: { userId: "7" }, lookups: ["own_evaluator"] });
  });

  it("rejects a credential of another scope, with a challenge that names the required one", async () => {
    await expect(callerOf("tgc_recorder")).rejects.toMatchObject({
      code: "insufficient-scope",
      headers: { "WWW-Authenticate": 'Bearer realm="tidegate", error="insufficient_scope", scope="evaluator"' },
    });
  });

  it("rejects an unknown secret", async () => {
    await expect(callerOf("unknown")).rejects.toThrow(TokenRejected);
    await expect(callerOf("tgc_")).rejects.toThrow(TokenRejected);
  });

  it("rejects as the evaluation does, also while tokens cannot be read", async () => {
    await expect(callerOf("lost")).rejects.toThrow(SourceUnavailable);
  });
});
