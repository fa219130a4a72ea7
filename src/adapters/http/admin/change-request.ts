import { hash } from "node:crypto";
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { ChangeAuthor } from "../../../application/admin/author.ts";
import { callStore } from "../../../application/admin/call-store.ts";
import type { Revision } from "../../../domain/admin/change.ts";
import type { IdempotencyKeys } from "../../../domain/admin/idempotency-keys.ts";
import { IdempotencyKeyReused } from "../../../domain/errors.ts";
import { secretOf } from "../client/authorization.ts";
import { idempotencyKeyOf, idempotencyKeyParameter } from "../kit/idempotency-key.ts";
import { jsonBody } from "../kit/json-body.ts";
import { authorOf } from "../kit/operators.ts";
import { HttpProblem } from "../kit/problem.ts";
import { ifMatchParameter } from "./entity-tag.ts";

/** The parameters of every route that changes something. */
export const ChangeQuery = z.strictObject({
  note: z
    .string()
    .max(500)
    .optional()
    .openapi({ description: "What to remember of the change, in your words.", example: "TICKET-42" }),
});

/** The parameters of a change that can be tried. */
export const TrialQuery = ChangeQuery.extend({
  dryRun: z
    .enum(["true", "false"])
    .optional()
    .openapi({ description: "`true`: nothing is changed or recorded; the answer says what would change." }),
});

/** The headers of a change that can be made for a revision only, and once. */
export const safeguards = [ifMatchParameter, idempotencyKeyParameter];

/** The problems that every change may be refused with. */
export const changeProblems = [
  "operators-only",
  "invalid-query",
  "invalid-header",
  "invalid-json",
  "unsupported-media-type",
  "validation-failed",
  "idempotency-key-reused",
  "not-changeable",
  "source-unavailable",
] as const;

const nothing = z.strictObject({});
const hasBody = (c: Context): boolean =>
  c.req.header("transfer-encoding") !== undefined || Number(c.req.header("content-length") ?? 0) > 0;

/** The JSON body of a request that need not have one; without one it is an empty object. Throws as `jsonBody` does. */
export const bodyIfAny = async <Schema extends z.ZodType>(c: Context, schema: Schema): Promise<z.output<Schema>> =>
  hasBody(c) ? jsonBody(c, schema) : schema.parse({});

/** Refuses a body that says something, because it would not be heeded. Throws as `jsonBody` does. */
export async function demandNoBody(c: Context): Promise<void> {
  await bodyIfAny(c, nothing);
}

/** Refuses If-Match, where there is no one revision that it could mean. */
export function demandNoIfMatch(c: Context, instead: string): void {
  if (c.req.header("if-match") === undefined) return;
  throw new HttpProblem("invalid-header", `If-Match means nothing here; ${instead}.`);
}

/** What a request asks for beside what is to be changed. */
export type RequestedChange = {
  readonly query: z.output<typeof ChangeQuery>;
  /** The body, where it says something. */
  readonly body?: unknown;
  /** Whether there is a token in the body. What is kept of it tells nobody whether it was guessed right who has not the credential too. */
  readonly isSecret?: boolean;
  /** What `If-Match` demands. */
  readonly ifRevision?: Revision | null | undefined;
  /** Whether it is to be done also where it cannot be remembered what the Idempotency-Key was used for. */
  readonly urgent?: boolean;
};

/**
 * Who has something changed, and whether it was changed already. Throws `HttpProblem` `invalid-header` for an Idempotency-Key that
 * is none, and `IdempotencyKeyReused` for one that the same credential sent with another request.
 */
export async function changeAuthor(
  c: Context,
  claims: IdempotencyKeys | undefined,
  { query: { note }, body, isSecret = false, ifRevision, urgent = false }: RequestedChange,
): Promise<ChangeAuthor> {
  const author = {
    ...authorOf(c),
    ...(note !== undefined && { note }),
    ...(ifRevision !== undefined && { ifRevision }),
  };
  const key = idempotencyKeyOf(c);
  if (key === undefined) return author;
  const once = digestOf([author.by, key]);
  const { pathname, search } = new URL(c.req.url);
  const salt = isSecret ? secretOf(c.req.header("authorization")) : undefined;
  const purpose = digestOf([c.req.method, pathname, search, c.req.header("if-match"), body, salt]);
  const claimed = callStore("claims", async () => claims?.claim(once, purpose) ?? true);
  if (!(await (urgent ? claimed.catch(() => true) : claimed))) throw new IdempotencyKeyReused();
  return { ...author, idempotencyKey: once };
}

const digestOf = (parts: readonly unknown[]): string => hash("sha256", JSON.stringify(parts), "base64url");
