import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { UserId } from "../../domain/evaluation/evaluation-context.ts";
import { isLocationName, locationsAt } from "../../domain/evaluation/location.ts";
import type { LocationHints, Locator, UserLocator } from "../../domain/evaluation/locator.ts";

/** The location of a caller, and the locator that matched. */
export type Located = {
  /** The names and their parents, each once, most specific first; at least one. */
  readonly locations: readonly string[];
  /** The kind of the locator that matched. */
  readonly by: string;
};

/** The location of a caller, if a locator matched, and the reads behind it. */
export type Location = { readonly located: Located | undefined; readonly reads: readonly CachedRead<unknown>[] };

/** Resolves the location: runs the locators in order and returns the first match. */
export class LocateCaller {
  /** The headers that the locators read, in lower case, each once. */
  readonly headers: readonly string[];
  /** Whether a locator reads the IP address. */
  readonly readsIp: boolean;
  readonly #locators: readonly (Locator | UserLocator)[];

  constructor(locators: readonly (Locator | UserLocator)[]) {
    const byHints = locators.filter((each) => "locate" in each);
    this.#locators = locators;
    this.headers = [...new Set(byHints.flatMap(({ headers }) => headers))];
    this.readsIp = byHints.some(({ readsIp }) => readsIp);
  }

  /**
   * Throws `InvalidContext` for invalid hints and for an invalid location name; invalid stored names are left out
   * instead. Rejects as `UserLocator` does.
   */
  async locate(hints: LocationHints, userId?: UserId): Promise<Location> {
    const reads: CachedRead<unknown>[] = [];
    for (const locator of this.#locators) {
      let names: readonly string[] = [];
      if ("locate" in locator) names = locator.locate(hints);
      else if (userId !== undefined) {
        const cached = await locator.locationsOf(userId);
        reads.push(cached);
        names = cached.value.features.filter(isLocationName);
      }
      if (names.length > 0) return { located: { locations: locationsAt(names), by: locator.kind }, reads };
    }
    return { located: undefined, reads };
  }
}
