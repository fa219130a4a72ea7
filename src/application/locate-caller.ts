import { locationsAt } from "../domain/location.ts";
import type { Clues, Locator } from "../domain/locator.ts";

/** Where a caller is, and how that was found out. */
export type Located = {
  /** The names and all that they are part of, each once, the most exact first; at least one. */
  readonly locations: readonly string[];
  /** The kind of the locator that told. */
  readonly by: string;
};

/** Finds out where a caller is: asks locators in the order of their precedence, up to the first that can tell. */
export class LocateCaller {
  /** The headers that it goes by, in lower case, each once. */
  readonly headers: readonly string[];
  /** Whether it goes by the address that the call came from. */
  readonly readsIp: boolean;
  readonly #locators: readonly Locator[];

  constructor(locators: readonly Locator[]) {
    this.#locators = locators;
    this.headers = [...new Set(locators.flatMap(({ headers }) => headers))];
    this.readsIp = locators.some(({ readsIp }) => readsIp);
  }

  /** `undefined` where no locator can tell. Throws `InvalidContext` for clues that mean nothing, and for a name that is none of a place. */
  execute(clues: Clues): Located | undefined {
    for (const locator of this.#locators) {
      const names = locator.locate(clues);
      if (names.length > 0) return { locations: locationsAt(names), by: locator.kind };
    }
    return undefined;
  }
}
