import type { Feature } from "./feature-list.ts";

/** When a feature was used last: it was on, or asked for by its key. */
export type LastUse = {
  /** The last use, or else when the feature could have been used first; in milliseconds. */
  readonly at: number;
  /** `new`: it was created after counting began, and not used since. */
  readonly is: "used" | "new" | "unused";
};

/** The last use of a feature by its counts; `undefined` if nothing is counted. */
export function lastUseOf(
  { catalogue, lastChange }: Feature,
  lastUsed: string | null,
  countedSince: string | null,
): LastUse | undefined {
  if (lastUsed !== null) return { at: Date.parse(lastUsed), is: "used" };
  if (countedSince === null) return undefined;
  const counted = Date.parse(countedSince);
  // Without a description, it is not known when a feature was created, except that it was not after its last change.
  const created = Date.parse(catalogue?.created ?? lastChange?.at ?? countedSince);
  return created > counted ? { at: created, is: "new" } : { at: counted, is: "unused" };
}
