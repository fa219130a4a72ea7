import { bodyOf, v1 } from "../api/client.ts";

const limit = "500";
const shown = 3;

/** The keys of known features that differ from a key by few letters, the nearest first; at most three. */
export async function similarFeatures(key: string): Promise<readonly string[]> {
  const words = key.split(/[^\p{L}\p{N}]+/u).filter(({ length }) => length > 2);
  // A mistake in one word leaves the others to search by, and one at the end of the only word its beginning.
  const searches = new Set([...words.slice(0, 3), key.slice(0, 3)]);
  const pages = await Promise.all(
    [...searches].map((search) => bodyOf(v1.features.$get({ query: { search, sort: "key", limit } }))),
  );
  const found = new Set(pages.flatMap(({ features }) => features.map(({ feature }) => feature)));
  const most = Math.max(2, key.length / 4);
  return [...found]
    .map((feature) => ({ feature, distance: distance(key, feature) }))
    .filter(({ distance }) => distance <= most)
    .sort((one, other) => one.distance - other.distance)
    .slice(0, shown)
    .map(({ feature }) => feature);
}

/** The number of letters to add, remove or replace until two texts are equal (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const letter of one) {
    const next = [(row[0] ?? 0) + 1];
    for (const [index, another] of [...other].entries()) {
      const replaced = (row[index] ?? 0) + (letter === another ? 0 : 1);
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
