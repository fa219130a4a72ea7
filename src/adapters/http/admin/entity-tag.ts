import type { Context } from "hono";
import { isSameRevision, type Revision } from "../../../domain/admin/change.ts";
import { HttpProblem } from "../kit/problem.ts";

const list = /^\s*(?:W\/)?"[^"]*"(?:\s*,\s*(?:W\/)?"[^"]*")*\s*$/;
const tags = /(W\/)?"([^"]*)"/g;
const never = "none.0";

/** A revision as text, as it stands in entity tags and bodies: `epoch.number`, or `none.0` for what was never recorded. */
export const revisionText = (revision: Revision | undefined): string =>
  revision ? `${revision.epoch}.${revision.number}` : never;

/** The revision that a text stands for: `null` for what was never recorded, `undefined` for a text that stands for none. */
export function revisionIn(text: string): Revision | null | undefined {
  if (text === never) return null;
  const [, epoch, number] = /^(.{1,100})\.(\d{1,15})$/.exec(text) ?? [];
  return epoch === undefined ? undefined : { epoch, number: Number(number) };
}

/** The strong entity tag of what is at a revision. */
export const entityTag = (revision: Revision | undefined): string => `"${revisionText(revision)}"`;

/** How routes describe the header. */
export const ifMatchParameter = {
  name: "If-Match",
  in: "header",
  description:
    "Only while it is at the revision of one of these entity tags; `*` is any. The `ETag` of a read or of a change is one.",
  schema: { type: "string" },
  example: '"019aa5c1-8c1e-7f3a-9d43-5a1f6f0c2b11.7"',
} as const;

/** How routes describe the header that answers with the revision. */
export const entityTagHeader = {
  ETag: { description: "The revision, for `If-Match`.", schema: { type: "string" as const } },
};

/** Is that of nothing: the store refuses it, unless it has made the change before. */
const ofNothing: Revision = { epoch: "none", number: 0 };

/**
 * What If-Match demands, to be given to a change; `undefined` where it demands nothing. `present` is asked only where the header is
 * `*` or has several tags. Throws `HttpProblem` `invalid-header` for a header that is no list of entity tags.
 */
export async function revisionDemanded(
  c: Context,
  present: () => Promise<{ readonly exists: boolean; readonly revision: Revision | undefined }>,
): Promise<Revision | null | undefined> {
  const header = c.req.header("if-match");
  if (header === undefined) return undefined;
  if (header.trim() === "*") return (await present()).exists ? undefined : ofNothing;
  if (!list.test(header)) {
    throw new HttpProblem("invalid-header", 'If-Match is * or a list of entity tags in quotes, as in "epoch.7".');
  }
  const wanted = [...header.matchAll(tags)].flatMap(([, weak, text = ""]) => {
    // A weak tag says that two answers are much the same, and so is that of no revision.
    const revision = weak ? undefined : revisionIn(text);
    return revision === undefined ? [] : [revision];
  });
  const [first = ofNothing, ...others] = wanted;
  if (others.length === 0) return first;
  const { revision } = await present();
  const match = wanted.find((each) => isSameRevision(each ?? undefined, revision));
  return match === undefined ? first : match;
}
