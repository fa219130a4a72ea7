import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { UserId } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureSets } from "../../domain/evaluation/feature-sets.ts";
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
export type Location = {
  readonly located: Located | undefined;
  readonly reads: readonly CachedRead<unknown>[];
  /** Whether the location is not known, because the history lacks the stored one. */
  readonly isUnknown?: boolean;
};

/** No location, without a read. */
export const nowhere: Location = { located: undefined, reads: [] };

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

  /** The same locators, with stored locations of users from other sets, by connection. */
  over(setsOf: (connection: string) => FeatureSets): LocateCaller {
    return new LocateCaller(this.#locators.map((each) => ("locate" in each ? each : each.over(setsOf))));
  }

  /**
   * Returns synchronously if the locators do. Throws or rejects with `InvalidContext` for invalid hints and for an
   * invalid location name; invalid stored names are left out instead. Rejects as `UserLocator` does.
   */
  locate(hints: LocationHints, userId?: UserId): Location | Promise<Location> {
    for (const [index, locator] of this.#locators.entries()) {
      if (!("locate" in locator)) {
        if (userId !== undefined) return this.#locateUser(this.#locators.slice(index), hints, userId);
        continue;
      }
      const names = locator.locate(hints);
      if (names.length > 0) return locatedBy(locator, names, []);
    }
    return nowhere;
  }

  /** Runs the locators from the first one that reads a store. */
  async #locateUser(
    locators: readonly (Locator | UserLocator)[],
    hints: LocationHints,
    userId: UserId,
  ): Promise<Location> {
    const reads: CachedRead<unknown>[] = [];
    for (const locator of locators) {
      let names: readonly string[];
      if ("locate" in locator) names = locator.locate(hints);
      else {
        const cached = await locator.locationsOf(userId);
        reads.push(cached);
        names = cached.value.features.filter(isLocationName);
      }
      if (names.length > 0) return locatedBy(locator, names, reads);
    }
    return { located: undefined, reads };
  }
}

const locatedBy = ({ kind }: Locator | UserLocator, names: readonly string[], reads: Location["reads"]): Location => ({
  located: { locations: locationsAt(names), by: kind },
  reads,
});
