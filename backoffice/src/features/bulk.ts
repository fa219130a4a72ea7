import { queryOptions } from "@tanstack/react-query";
import { bodyOf, taggedBodyOf, v1 } from "../api/client.ts";
import { pathSegment } from "../api/path-segment.ts";
import { hasStatus } from "../api/problem.ts";
import type { Impact } from "./impact.ts";

/** What happened to one feature of a bulk change. */
export type BulkItem = {
  readonly key: string;
  readonly outcome: "changed" | "unchanged" | "skipped" | "refused";
  readonly text: string;
};

/** The most changes of one request. */
const maxChanges = 1_000;

type Change = NonNullable<Parameters<typeof v1.changes.$post>[0]["json"]>["changes"][number];

/** A change of one feature, and what to say of it once it is applied. */
type Task = { readonly key: string; readonly change: Change; readonly changed: string; readonly unchanged: string };

/** Applies each change on its own: one that is refused does not stop the others. */
async function apply(
  count: number,
  tasksOf: (start: number, end: number) => readonly Task[] | Promise<readonly Task[]>,
  note: string | undefined,
): Promise<readonly BulkItem[]> {
  const items: BulkItem[] = [];
  for (let start = 0; start < count; start += maxChanges) {
    const some = await tasksOf(start, start + maxChanges);
    const json = { changes: some.map(({ change }) => change) };
    const { results } = await bodyOf(v1.changes.$post({ query: { ...(note && { note }) }, json }));
    for (const [index, { key, changed, unchanged }] of some.entries()) {
      const result = results[index];
      if (!result) continue;
      const isSame = "added" in result && result.added.length + result.removed.length === 0;
      if ("code" in result && result.code === "revision-mismatch")
        items.push({
          key,
          outcome: "refused",
          text: "Somebody changed it meanwhile. Retry it, to change what is there now.",
        });
      else if ("detail" in result) items.push({ key, outcome: "refused", text: result.detail });
      else if (isSame) items.push({ key, outcome: "unchanged", text: unchanged });
      else items.push({ key, outcome: "changed", text: changed });
    }
  }
  return items;
}

/** A change of many features in the set of one source. */
type SetChange = { readonly source: string; readonly isAdded: boolean };
export type BulkChange = SetChange & { readonly note?: string };

const changeOf = (key: string, { source, isAdded }: SetChange): Change => ({
  source,
  add: isAdded ? [key] : [],
  remove: isAdded ? [] : [key],
});

/** Features of one dry run: the numbers of users are exact for few. */
const atOnce = 100;

/** Who gains and loses each feature by a change, by a dry run. A feature is absent if that is not known. */
export const bulkImpact = (keys: readonly string[], change: SetChange) =>
  queryOptions({
    queryKey: ["features", "impact", change, keys],
    queryFn: async ({ signal }) => {
      const impacts = new Map<string, Impact>();
      for (let start = 0; start < keys.length; start += atOnce) {
        const some = keys.slice(start, start + atOnce);
        const json = { changes: some.map((key) => changeOf(key, change)) };
        const call = v1.changes.$post({ query: { dryRun: "true" }, json }, { init: { signal } });
        for (const [index, result] of (await bodyOf(call)).results.entries()) {
          const key = some[index];
          if (key !== undefined && "impact" in result && result.impact) impacts.set(key, result.impact);
        }
      }
      return impacts;
    },
    staleTime: 0,
  });

/** Adds each feature to the set of a source, or removes it. */
export const changeMany = (
  keys: readonly string[],
  { note, ...change }: BulkChange,
  texts: { readonly changed: (key: string) => string; readonly unchanged: string },
): Promise<readonly BulkItem[]> =>
  apply(
    keys.length,
    (start, end) =>
      keys.slice(start, end).map((key) => ({
        key,
        change: changeOf(key, change),
        changed: texts.changed(key),
        unchanged: texts.unchanged,
      })),
    note,
  );

/** What many features get. Without an owner, each keeps its own. */
export type BulkDescription = { readonly owner?: string; readonly addTags: readonly string[] };

/**
 * Changes owner and tags of each feature; what is not given stays. Each description is read before, and replaced only at
 * that revision.
 */
export const describeMany = (
  keys: readonly string[],
  { owner, addTags }: BulkDescription,
): Promise<readonly BulkItem[]> =>
  apply(
    keys.length,
    (start, end) =>
      Promise.all(
        keys.slice(start, end).map(async (key): Promise<Task> => {
          const { body, revision } = await describedAt(key);
          const { description = "", archived = false } = body ?? {};
          const tags = [...new Set([...(body?.tags ?? []), ...addTags])];
          const catalogue = { description, owner: owner ?? body?.owner ?? "", tags, archived };
          const changed = [catalogue.owner, ...tags].filter(Boolean).join(", ");
          return { key, change: { feature: key, catalogue, ifRevision: revision }, changed, unchanged: changed };
        }),
      ),
    undefined,
  );

/** The description of a feature at its revision. */
async function describedAt(key: string) {
  const call = v1.catalogue[":feature"].$get({ param: { feature: pathSegment(key) } });
  try {
    const { body, tag } = await taggedBodyOf(call);
    return { body, revision: tag.slice(1, -1) };
  } catch (error) {
    if (hasStatus(error, 404)) return { body: undefined, revision: "none.0" };
    throw error;
  }
}
