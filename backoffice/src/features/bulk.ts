import { bodyOf, v1 } from "../api/client.ts";
import { Problem } from "../api/problem.ts";
import type { Feature } from "./feature-list.ts";

/** What happened to one feature of a bulk change. */
export type BulkItem = {
  readonly key: string;
  readonly outcome: "changed" | "unchanged" | "refused";
  readonly text: string;
};

/** The most changes of one request. */
const maxChanges = 1_000;

type Change = { readonly source: string; readonly add: string[]; readonly remove: string[] };

/** A change of many features in the set of one source. */
export type BulkChange = { readonly source: string; readonly isAdded: boolean; readonly note?: string };

/** Changes each feature on its own: one that is refused does not stop the others. */
export async function changeMany(
  keys: readonly string[],
  { source, isAdded, note }: BulkChange,
  texts: { readonly changed: (key: string) => string; readonly unchanged: string },
): Promise<readonly BulkItem[]> {
  const items: BulkItem[] = [];
  for (let start = 0; start < keys.length; start += maxChanges) {
    const some = keys.slice(start, start + maxChanges);
    const changes = some.map((key): Change => ({ source, add: isAdded ? [key] : [], remove: isAdded ? [] : [key] }));
    const { results } = await bodyOf(v1.changes.$post({ query: { ...(note && { note }) }, json: { changes } }));
    for (const [index, result] of results.entries()) {
      const key = some[index] ?? "";
      if ("detail" in result) items.push({ key, outcome: "refused", text: result.detail });
      else if ("added" in result && result.added.length + result.removed.length === 0) {
        items.push({ key, outcome: "unchanged", text: texts.unchanged });
      } else items.push({ key, outcome: "changed", text: texts.changed(key) });
    }
  }
  return items;
}

/** Changes owner and tags of each feature; what is not given stays. */
export async function describeMany(
  features: readonly Feature[],
  { owner, addTags }: { readonly owner?: string; readonly addTags: readonly string[] },
): Promise<readonly BulkItem[]> {
  const items: BulkItem[] = [];
  for (const { feature: key, catalogue } of features) {
    const { created: _, ...entry } = catalogue ?? {
      description: "",
      owner: "",
      tags: [],
      archived: false,
      created: "",
    };
    const json = { ...entry, owner: owner ?? entry.owner, tags: [...new Set([...entry.tags, ...addTags])] };
    const request = { param: { feature: encodeURIComponent(key) }, query: {}, json };
    try {
      await bodyOf(v1.catalogue[":feature"].$put(request));
      items.push({ key, outcome: "changed", text: [json.owner, ...json.tags].filter(Boolean).join(", ") });
    } catch (error) {
      if (!(error instanceof Problem) || error.status === 401) throw error;
      items.push({ key, outcome: "refused", text: error.message });
    }
  }
  return items;
}
