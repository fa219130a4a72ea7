import { hash, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import type { Author } from "../../application/author.ts";
import { tokenOf } from "./authorization.ts";
import { HttpProblem } from "./problem.ts";

const digestOf = (text: string): Buffer => hash("sha256", text, "buffer");

/** What a credential may do; each may do what those before it may. */
export const scopes = ["viewer", "editor", "admin"] as const;
export type Scope = (typeof scopes)[number];

/** Who operates the service: the bearers of the admin credential. Keeps its digest only. */
export class Operators {
  readonly #digest: Buffer | undefined;

  /** Without a credential nobody is one. */
  constructor(adminToken: string | undefined) {
    this.#digest = adminToken ? digestOf(adminToken) : undefined;
  }

  /** Whether an Authorization header carries the credential; false too for one that cannot be read. */
  include(authorization: string | undefined): boolean {
    if (!this.#digest) return false;
    try {
      const token = tokenOf(authorization);
      return token !== undefined && timingSafeEqual(digestOf(token), this.#digest);
    } catch {
      return false;
    }
  }

  /** Makes a route one for operators of a scope, and describes it as such; to be spread into its definition. */
  atLeast(_scope: Scope): { readonly security: Record<string, string[]>[]; readonly middleware: MiddlewareHandler } {
    return {
      security: [{ admin: [] }, { adminAsPassword: [] }],
      middleware: async (c, next) => {
        if (!this.include(c.req.header("authorization"))) throw this.#refusal();
        c.set("author", { by: "admin" } satisfies Author);
        await next();
      },
    };
  }

  #refusal(): HttpProblem {
    return new HttpProblem(
      "operators-only",
      this.#digest
        ? "This route is for operators; send Authorization: Bearer with the value of TIDEGATE_ADMIN_TOKEN."
        : "This route is for operators, and no credential of theirs is configured; start Tidegate with TIDEGATE_ADMIN_TOKEN (16 characters or more) and send that.",
    );
  }
}

/** Who calls a route that is for operators: the credential's name, never anything that the request says. */
export const authorOf = (c: Context): Author => c.get("author");
