import { hash } from "node:crypto";
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { callStore } from "../../../application/admin/call-store.ts";
import type { ChangeOptions, Revision } from "../../../domain/admin/change.ts";
import type { IdempotencyKeys } from "../../../domain/admin/idempotency-keys.ts";
import { IdempotencyKeyReused, StoreFull } from "../../../domain/errors.ts";
import { secretOf } from "../client/authorization.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { authorOf } from "../sessions/operators.ts";
import { sessionIn } from "../sessions/session-cookie.ts";
import { ifMatchParameter } from "./entity-tag.ts";
import { idempotencyKeyOf, idempotencyKeyParameter } from "./idempotency-key.ts";
import { hasBody, jsonBody } from "./json-body.ts";

/** Query parameters of every change. */
export const ChangeQuery = z.strictObject({
  note: z
    .string()
    .max(500)
    .optional()
    .openapi({ description: "Free text that is recorded with the change.", example: "TICKET-42" }),
});

/** Query parameters of a change that supports a dry run. */
export const DryRunQuery = ChangeQuery.extend({
  dryRun: z
    .enum(["true", "false"])
    .optional()
    .describe("`true`: changes and records nothing, and returns what would change."),
});

/** Headers of a change that supports `If-Match` and `Idempotency-Key`. */
export const safeguards = [ifMatchParameter, idempotencyKeyParameter];

/** Problem codes that every change can return. */
export const changeProblems = [
  "invalid-header",
  "invalid-json",
  "unsupported-media-type",
  "payload-too-large",
  "validation-failed",
  "idempotency-key-reused",
  "not-changeable",
  "source-unavailable",
] as const;

/** Problem codes of a change that supports `If-Match` and may add data. */
export const revisedProblems = [...changeProblems, "revision-mismatch", "store-full"] as const;

const nothing = z.strictObject({});

/** Rejects a non-empty body, because the route would ignore it. Throws as `jsonBody` does. */
export async function rejectBody(c: Context): Promise<void> {
  if (hasBody(c)) await jsonBody(c, nothing);
}

/** Rejects `If-Match` on a route that has no single revision to compare. Throws `HttpProblem` `invalid-header`. */
export function rejectIfMatch(c: Context, instead: string): void {
  if (c.req.header("if-match") === undefined) return;
  throw new HttpProblem("invalid-header", `If-Match is not supported here; ${instead}.`);
}

/** The options of a change request: query, body and conditional headers. */
export type RequestedChange = {
  readonly query: z.output<typeof ChangeQuery>;
  readonly body?: unknown;
  /**
   * Whether the body contains a token. If so, its digest is salted with the operator's credential or session, so that
   * guesses cannot be tested without it.
   */
  readonly isSecret?: boolean;
  /** The revision that `If-Match` requires. */
  readonly ifRevision?: Revision | null | undefined;
  /** Whether to apply the change even if the store of idempotency keys is unavailable. */
  readonly urgent?: boolean;
};

/**
 * The options of a requested change, after its idempotency key is claimed. Throws `HttpProblem` `invalid-header` for a
 * malformed Idempotency-Key, and `IdempotencyKeyReused` if the same credential sent the key with a different request.
 */
export async function claimedOptions(
  c: Context,
  idempotencyKeys: IdempotencyKeys | undefined,
  request: RequestedChange,
): Promise<ChangeOptions> {
  const options = changeOptionsOf(c, request);
  if (options.idempotencyKey !== undefined) {
    await claimIdempotencyKey(c, idempotencyKeys, options.idempotencyKey, request);
  }
  return options;
}

/** The idempotency key of the options is a digest of the sent key and the name of the credential. */
function changeOptionsOf(c: Context, { query: { note }, ifRevision }: RequestedChange): ChangeOptions {
  const author = authorOf(c);
  const key = idempotencyKeyOf(c);
  return {
    ...author,
    ...(note !== undefined && { note }),
    ...(ifRevision !== undefined && { ifRevision }),
    ...(key !== undefined && { idempotencyKey: digestOf([author.by, key]) }),
  };
}

async function claimIdempotencyKey(
  c: Context,
  idempotencyKeys: IdempotencyKeys | undefined,
  idempotencyKey: string,
  { body, isSecret = false, urgent = false }: RequestedChange,
): Promise<void> {
  const { pathname, search } = new URL(c.req.url);
  const salt = isSecret ? (secretOf(c.req.header("authorization")) ?? sessionIn(c)) : undefined;
  const purpose = digestOf([c.req.method, pathname, search, c.req.header("if-match"), body, salt]);
  const claimed = callStore("idempotency keys", async () => idempotencyKeys?.claim(idempotencyKey, purpose) ?? true);
  const isFree = await claimed.catch((error) => {
    // A full store rejects the change itself, unless it switches features off.
    if (urgent || error instanceof StoreFull) return true;
    throw error;
  });
  if (!isFree) throw new IdempotencyKeyReused();
}

const digestOf = (parts: readonly unknown[]): string => hash("sha256", JSON.stringify(parts), "base64url");
