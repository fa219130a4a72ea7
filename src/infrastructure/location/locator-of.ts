import type { Locator } from "../../domain/locator.ts";
import type { LocatorOptions } from "../config/location.ts";
import { callerLocator } from "./caller-locator.ts";
import { headerLocator } from "./header-locator.ts";

/** The locator that an entry of the configuration stands for. */
export function locatorOf(options: LocatorOptions): Locator {
  switch (options.kind) {
    case "caller":
      return callerLocator;
    case "header":
      return headerLocator(options.header);
  }
}
