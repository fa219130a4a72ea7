import type { Locator } from "../../domain/locator.ts";
import type { LocatorOptions } from "../config/location.ts";
import { callerLocator } from "./caller-locator.ts";
import { headerLocator } from "./header-locator.ts";

/**
 * What makes the locator that an entry of the configuration stands for; it throws `SetupFailed` where one cannot be made. What only some
 * ways need is loaded where they are configured.
 */
export async function locatorOf(options: LocatorOptions): Promise<() => Locator> {
  switch (options.kind) {
    case "caller":
      return () => callerLocator;
    case "header":
      return () => headerLocator(options.header);
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
