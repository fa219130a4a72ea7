import type { FeatureSets } from "../../domain/evaluation/feature-sets.ts";
import type { Locator, UserLocator } from "../../domain/evaluation/locator.ts";
import { headerLocator } from "./header-locator.ts";
import type { LocatorOptions } from "./locator-options.ts";
import { queryLocator } from "./query-locator.ts";
import { userLocator } from "./user-locator.ts";

/** Creates a locator over the sets of connections. */
export type MakeLocator = (setsOf: (connection: string) => FeatureSets) => Locator | UserLocator;

/**
 * Returns the factory for an entry of `locators`. The factory throws `SetupFailed` if the locator is unusable. Loads
 * modules of a locator kind only if that kind is configured.
 */
export async function locatorOf(options: LocatorOptions): Promise<MakeLocator> {
  switch (options.kind) {
    case "query":
      return () => queryLocator;
    case "header":
      return () => headerLocator(options.header);
    case "user":
      return (setsOf) => userLocator(options.key, options.connection, setsOf);
    case "geoip": {
      const { geoipLocator } = await import("./geoip-locator.ts");
      return () => geoipLocator(options.database);
    }
    case "areas": {
      const { areaLocator } = await import("./area-locator.ts");
      return () => areaLocator(options);
    }
  }
}
