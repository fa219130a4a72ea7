import type { Context, MiddlewareHandler } from "hono";
import type { IdentifiedOperator, IdentifyOperator } from "../../../application/admin/identify-operator.ts";
import type { Session, Sessions } from "../../../application/admin/sessions.ts";
import type { ChangeOptions } from "../../../domain/admin/change.ts";
import { allows, type Credential, type Scope } from "../../../domain/admin/credential.ts";
import { secretOf } from "../client/authorization.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { rejectCrossOrigin, requireSameOrigin } from "./cross-origin.ts";
import { sessionIn } from "./session-cookie.ts";

/** OpenAPI security requirement of a route: the scope it needs. */
export type Security = { [scheme in "admin" | "adminAsPassword" | "session"]?: Scope[] }[];

/** A challenge without Basic: on Basic, browsers prompt for a password instead of passing the response to the page. */
export const bearerChallenge = { "WWW-Authenticate": 'Bearer realm="tidegate"' };

/** The operator of a request. `expiresAt` is absent for a credential in a header. */
type Operator = { readonly credential: Credential } & Partial<Pick<Session, "expiresAt">>;

/** Authenticates operators and checks their scopes. */
export class Operators {
  readonly #identify: IdentifyOperator;
  readonly #sessions: Sessions | undefined;

  constructor(identify: IdentifyOperator, sessions: Sessions | undefined) {
    this.#identify = identify;
    this.#sessions = sessions;
  }

  /** Route options that require a scope, and document it; spread them into the route definition. */
  atLeast(scope: Scope): { readonly security: Security; readonly middleware: MiddlewareHandler } {
    return {
      security: [{ admin: [scope] }, { adminAsPassword: [scope] }, { session: [scope] }],
      middleware: async (c, next) => {
        c.set("operator", await this.require(c, scope));
        await next();
      },
    };
  }

  /** The owner of a secret. Rejects with `SourceUnavailable` if the credentials cannot be read. */
  identify(secret: string): Promise<IdentifiedOperator> {
    return this.#identify.identify(secret);
  }

  /**
   * The operator who sent the request, with a credential or a session. Throws `HttpProblem` if access is denied, and
   * `SourceUnavailable` if the credentials cannot be read.
   */
  async require(c: Context, scope: Scope): Promise<Operator> {
    rejectCrossOrigin(c);
    const session = c.req.header("authorization") === undefined ? sessionIn(c) : undefined;
    if (session === undefined) {
      const secret = secretFrom(c);
      const found = secret === undefined ? undefined : await this.#identify.identify(secret);
      return { credential: requireScope(found, scope, isFromPage(c)) };
    }
    requireSameOrigin(c);
    const found = await this.#sessions?.find(session);
    return { ...found, credential: requireScope(found?.credential, scope, true) };
  }

  /** Whether the request comes from an operator of any scope; `false` also if the credentials cannot be read. */
  async include(c: Context): Promise<boolean> {
    return this.require(c, "viewer").then(
      () => true,
      () => false,
    );
  }
}

/** The credential of an operator with a scope. Throws `HttpProblem` for anybody else. */
export function requireScope(found: IdentifiedOperator, scope: Scope, isPage = true): Credential {
  if (found === undefined) {
    throw new HttpProblem(
      "unauthenticated",
      "Operator credential required. Send Authorization: Bearer with a credential, such as the value of TIDEGATE_ADMIN_TOKEN.",
      isPage ? bearerChallenge : {},
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
  return found;
}

/** Whether a script of a page sent the request, and no navigation. */
function isFromPage(c: Context): boolean {
  const mode = c.req.header("sec-fetch-mode");
  if (mode !== undefined) return mode !== "navigate";
  // Browsers send it over TLS and to the loopback address only.
  const isBrowser = c.req.header("user-agent")?.startsWith("Mozilla/") === true;
  return isBrowser && c.req.header("accept")?.includes("text/html") !== true;
}

/** The secret of the request; `undefined` also if the header is malformed, because no credential matches it. */
function secretFrom(c: Context): string | undefined {
  try {
    return secretOf(c.req.header("authorization"));
  } catch {
    return undefined;
  }
}

/** The operator that `atLeast` admitted. */
export const operatorOf = (c: Context): Operator => c.get("operator");

/**
 * The author of an operator's request: the name of the credential, never a value in the request. Requests with a
 * session are those of the backoffice page.
 */
export function authorOf(c: Context): ChangeOptions {
  const { credential, expiresAt } = operatorOf(c);
  const { name, email } = credential;
  return { by: name, ...(email !== undefined && { email }), ...(expiresAt !== undefined && { via: "page" }) };
}
