import type { Context } from "hono";
import { isSameRevision, type Revision, revisionText } from "../../../domain/admin/change.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { uncached } from "../response-headers.ts";

const list = /^\s*(?:W\/)?"[^"]*"(?:\s*,\s*(?:W\/)?"[^"]*")*\s*$/;
const tags = /(W\/)?"([^"]*)"/g;
const never = "none.0";

/** The revision in entity tags and bodies; `none.0` if no change was recorded. */
export const revisionJson = (revision: Revision | undefined): string => (revision ? revisionText(revision) : never);

/** Parses a revision: `null` for `none.0`, `undefined` for invalid text. */
export function revisionIn(text: string): Revision | null | undefined {
  if (text === never) return null;
  const [, epoch, number] = /^(.{1,100})\.(\d{1,15})$/.exec(text) ?? [];
  return epoch === undefined ? undefined : { epoch, number: Number(number) };
}

/** Responds with a body and the entity tag of its revision. */
export const tagged = (c: Context, body: object, revision: Revision | undefined): Response =>
  c.json(body, 200, { ...uncached, ETag: `"${revisionJson(revision)}"` });

/** OpenAPI description of the `If-Match` header. */
export const ifMatchParameter = {
  name: "If-Match",
  in: "header",
  description:
    "Applies the change only if the current revision matches one of these entity tags; `*` matches any. Use the `ETag` of a read or a change.",
  schema: { type: "string" },
  example: '"019aa5c1-8c1e-7f3a-9d43-5a1f6f0c2b11.7"',
} as const;

/** OpenAPI description of the `ETag` response header. */
export const entityTagHeader = {
  ETag: { description: "The revision. Use it in `If-Match`.", schema: { type: "string" as const } },
};

/** A revision that never exists. The store rejects a change that requires it, unless the change is a retry. */
const ofNothing: Revision = { epoch: "none", number: 0 };

/**
 * The revision that `If-Match` requires of a change; `undefined` if any revision will do. Calls `present` only if the
 * header is `*` or lists several tags. Throws `HttpProblem` `invalid-header` if the header is not a list of entity
 * tags.
 */
export async function requiredRevision(
  c: Context,
  present: () => Promise<{ readonly exists: boolean; readonly revision: Revision | undefined }>,
): Promise<Revision | null | undefined> {
  const header = c.req.header("if-match");
  if (header === undefined) return undefined;
  if (header.trim() === "*") return (await present()).exists ? undefined : ofNothing;
  if (!list.test(header)) {
    throw new HttpProblem(
      "invalid-header",
      'Invalid If-Match (expected * or a list of quoted entity tags, for example "epoch.7").',
    );
  }
  const wanted = [...header.matchAll(tags)].flatMap(([, weak, text = ""]) => {
    // `If-Match` compares strongly (RFC 9110, 13.1.1), so weak tags match no revision.
    const revision = weak ? undefined : revisionIn(text);
    return revision === undefined ? [] : [revision];
  });
  const [first = ofNothing, ...others] = wanted;
  if (others.length === 0) return first;
  const { revision } = await present();
  const match = wanted.find((each) => isSameRevision(each ?? undefined, revision));
  return match === undefined ? first : match;
}
