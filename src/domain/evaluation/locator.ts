import type { CachedRead } from "./cached-read.ts";
import type { UserId } from "./evaluation-context.ts";
import type { FeatureSet, FeatureSets } from "./feature-sets.ts";

/** Location hints: the parts of a request that locators may use. */
export type LocationHints = {
  /** The location that the client claims; none if it is empty. */
  readonly location?: string | undefined;
  /**
   * The value of a header, by its name in lower case. A header reserved for proxies has a value only if a trusted proxy
   * set it.
   */
  readonly header: (name: string) => string | undefined;
  /** The value of a query parameter. */
  readonly query: (name: string) => string | undefined;
  /** The client's IP address. */
  readonly ip?: string | undefined;
};

/** Locator: derives the location from a request. */
export interface Locator {
  /** Its kind in the configuration. */
  readonly kind: string;
  /** The headers that it reads, in lower case. */
  readonly headers: readonly string[];
  /** Whether it reads the IP address. */
  readonly readsIp: boolean;
  /**
   * The location names, most specific first; none if there is no match. Levels are separated by slashes, as in
   * `es/madrid`; parents may be omitted. Takes some microseconds. Throws `InvalidContext` for invalid hints.
   */
  locate(hints: LocationHints): readonly string[];
}

/** The kind of the locator that reads the stored locations of users. */
export const userLocatorKind = "user";

/** A locator that reads the stored locations of users. */
export type UserLocator = {
  /** Its kind in the configuration. */
  readonly kind: string;
  /**
   * The names of a user's stored locations; none if nothing is stored. Returns synchronously if they are cached.
   * Rejects if the store cannot be read.
   */
  locationsOf(userId: UserId): CachedRead<FeatureSet> | Promise<CachedRead<FeatureSet>>;
  /** The same locator over other sets, by connection. */
  readonly over: (setsOf: (connection: string) => FeatureSets) => UserLocator;
};
