import { bodyOf, v1 } from "../api/client.ts";
import type { Feature } from "./feature-list.ts";

/** What happened to one feature of a bulk change. */
export type BulkItem = {
  readonly key: string;
  readonly outcome: "changed" | "unchanged" | "refused";
  readonly text: string;
};

/** The most changes of one request. */
const maxChanges = 1_000;

type Change = NonNullable<Parameters<typeof v1.changes.$post>[0]["json"]>["changes"][number];

/** A change of one feature, and what to say of it once it is applied. */
type Task = { readonly key: string; readonly change: Change; readonly changed: string; readonly unchanged: string };

/** Applies each change on its own: one that is refused does not stop the others. */
async function apply(tasks: readonly Task[], note: string | undefined): Promise<readonly BulkItem[]> {
  const items: BulkItem[] = [];
  for (let start = 0; start < tasks.length; start += maxChanges) {
    const some = tasks.slice(start, start + maxChanges);
    const json = { changes: some.map(({ change }) => change) };
    const { results } = await bodyOf(v1.changes.$post({ query: { ...(note && { note }) }, json }));
    for (const [index, { key, changed, unchanged }] of some.entries()) {
      const result = results[index];
      if (!result) continue;
      const isSame = "added" in result && result.added.length + result.removed.length === 0;
      if ("detail" in result) items.push({ key, outcome: "refused", text: result.detail });
      else if (isSame) items.push({ key, outcome: "unchanged", text: unchanged });
      else items.push({ key, outcome: "changed", text: changed });
    }
  }
  return items;
}

/** A change of many features in the set of one source. */
export type BulkChange = { readonly source: string; readonly isAdded: boolean; readonly note?: string };

/** Adds each feature to the set of a source, or removes it. */
export const changeMany = (
  keys: readonly string[],
  { source, isAdded, note }: BulkChange,
  texts: { readonly changed: (key: string) => string; readonly unchanged: string },
): Promise<readonly BulkItem[]> =>
  apply(
    keys.map((key) => ({
      key,
      change: { source, add: isAdded ? [key] : [], remove: isAdded ? [] : [key] },
      changed: texts.changed(key),
      unchanged: texts.unchanged,
    })),
    note,
  );

/** Changes owner and tags of each feature; what is not given stays. */
export const describeMany = (
  features: readonly Feature[],
  { owner, addTags }: { readonly owner?: string; readonly addTags: readonly string[] },
): Promise<readonly BulkItem[]> =>
  apply(
    features.map(({ feature, catalogue }) => {
      const tags = [...new Set([...(catalogue?.tags ?? []), ...addTags])];
      const entry = {
        description: catalogue?.description ?? "",
        owner: owner ?? catalogue?.owner ?? "",
        tags,
        archived: catalogue?.archived ?? false,
      };
      const changed = [entry.owner, ...tags].filter(Boolean).join(", ");
      return { key: feature, change: { feature, catalogue: entry }, changed, unchanged: changed };
    }),
    undefined,
  );
