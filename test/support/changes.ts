import { v7 } from "uuid";
import type { SetChange } from "../../src/domain/feature-store.ts";

/** A change of a set by somebody, with an id of its own. */
export const changeOf = (
  key: string,
  { add = [], remove = [] }: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
): SetChange => ({ id: v7(), by: "ana", key, personal: false, add, remove });
