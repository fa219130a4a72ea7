import type { IdentifyOperator } from "../../../application/admin/identify-operator.ts";
import type { Caller } from "../../../application/evaluation/identify-caller.ts";
import type { Scope } from "../../../domain/admin/credential.ts";
import { TokenRejected } from "../../../domain/errors.ts";
import { credentialPrefix } from "../../../infrastructure/secrets/credential-secret.ts";
import { requireScope } from "../sessions/operators.ts";

/**
 * Evaluates for the user of a client token, or for `asOperator` if the secret is an operator credential of `scope`.
 * `evaluate` then receives the digest of the credential; do not cache its result, because its freshness does not cover
 * the credential. Rejects as `evaluate` does, and with `HttpProblem` if the scope does not suffice.
 */
export async function evaluateFor<T>(
  secret: string | undefined,
  operators: IdentifyOperator,
  scope: Scope,
  asOperator: Caller,
  evaluate: (caller: Caller, credential?: string) => Promise<T>,
): Promise<T> {
  if (secret === undefined) return evaluate(undefined);
  // A generated credential is recognized by its prefix. Other secrets can be either, and most are tokens.
  if (!secret.startsWith(credentialPrefix)) {
    try {
      return await evaluate({ token: secret });
    } catch (error) {
      if (!(error instanceof TokenRejected)) throw error;
    }
  }
  const operator = await operators.identify(secret);
  if (operator === undefined || operator === "client") throw new TokenRejected();
  requireScope(operator, scope);
  return evaluate(asOperator, operators.digestOf(secret));
}
