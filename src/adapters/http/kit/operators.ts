import type { Context, MiddlewareHandler } from "hono";
import type { ChangeAuthor } from "../../../application/admin/author.ts";
import type { IdentifyOperator } from "../../../application/admin/identify-operator.ts";
import { allows, type Scope } from "../../../domain/admin/credential.ts";
import { secretOf } from "../client/authorization.ts";
import { isCrossOrigin } from "./cross-origin.ts";
import { HttpProblem } from "./http-problem.ts";

/** OpenAPI security requirement of a route: the scope it needs. */
export type Security = { [scheme in "admin" | "adminAsPassword"]?: Scope[] }[];

/** Authenticates operators and checks their scopes. */
export class Operators {
  readonly #identify: IdentifyOperator;

  constructor(identify: IdentifyOperator) {
    this.#identify = identify;
  }

  /** Route options that require a scope, and document it; spread them into the route definition. */
  atLeast(scope: Scope): { readonly security: Security; readonly middleware: MiddlewareHandler } {
    return {
      security: [{ admin: [scope] }, { adminAsPassword: [scope] }],
      middleware: async (c, next) => {
        c.set("author", await this.demand(c, scope));
        await next();
      },
    };
  }

  /**
   * The operator who sent the request. Throws `HttpProblem` if access is denied, and `SourceUnavailable` if the
   * credentials cannot be read.
   */
  async demand(c: Context, scope: Scope): Promise<ChangeAuthor> {
    if (isCrossOrigin(c)) {
      throw new HttpProblem(
        "cross-origin",
        "Operator routes reject requests from pages of other origins. Call them from a page that Tidegate serves, or from outside a browser.",
      );
    }
    const secret = secretFrom(c);
    const found = secret === undefined ? undefined : await this.#identify.identify(secret);
    if (found === undefined) {
      throw new HttpProblem(
        "unauthenticated",
        "Operator credential required. Send Authorization: Bearer with a credential, such as the value of TIDEGATE_ADMIN_TOKEN.",
      );
    }
    if (found === "client") {
      throw new HttpProblem(
        "forbidden",
        "This route is for operators, but the token belongs to a client. Send an operator credential.",
      );
    }
    if (!allows(found.scope, scope)) {
      const challenge = `Bearer realm="tidegate", error="insufficient_scope", scope="${scope}"`;
      throw new HttpProblem(
        "insufficient-scope",
        `The credential ${found.name} has scope ${found.scope}, but this route requires ${scope}. Use another credential.`,
        { "WWW-Authenticate": challenge },
      );
    }
    return found.email === undefined ? { by: found.name } : { by: found.name, email: found.email };
  }

  /** Whether the request comes from an operator of any scope; `false` also if the credentials cannot be read. */
  async include(c: Context): Promise<boolean> {
    return this.demand(c, "viewer").then(
      () => true,
      () => false,
    );
  }
}

/** The secret of the request; `undefined` also if the header is malformed, because no credential matches it. */
function secretFrom(c: Context): string | undefined {
  try {
    return secretOf(c.req.header("authorization"));
  } catch {
    return undefined;
  }
}

/** The author of an operator's request: the name of the credential, never a value in the request. */
export const authorOf = (c: Context): ChangeAuthor => c.get("author");
