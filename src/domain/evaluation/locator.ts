import type { CachedRead } from "./cached-read.ts";
import type { UserId } from "./evaluation-context.ts";
import type { FeatureSet } from "./feature-sets.ts";

/** What there is to tell where a caller is. */
export type LocationHints = {
  /** Where it says it is; none where that is empty. */
  readonly said?: string | undefined;
  /** The value of a header, by its name in lower case; of a header that only proxies may set, where one that is trusted did. */
  readonly header: (name: string) => string | undefined;
  /** The value of a parameter of the query. */
  readonly query: (name: string) => string | undefined;
  /** The address that the call came from. */
  readonly ip?: string | undefined;
};

/** Port: a way to find out where a caller is. */
export interface Locator {
  /** What the configuration calls this way. */
  readonly kind: string;
  /** The headers that it goes by, in lower case. */
  readonly headers: readonly string[];
  /** Whether it goes by the address. */
  readonly readsIp: boolean;
  /**
   * The names of where the caller is, the most exact first; none where it cannot tell. Names of several levels have slashes between
   * them, as in `es/madrid`; what they are part of need not be named. It answers in some microseconds. Throws `InvalidContext` for clues that mean nothing.
   */
  locate(clues: LocationHints): readonly string[];
}

/** Port: a locator that reads the stored places of users. */
export interface UserLocator {
  /** Its kind in the configuration. */
  readonly kind: string;
  /** The names of a user's places; none if nothing is stored. Returns at once what is cached. Rejects if the store cannot be read. */
  placesOf(userId: UserId): CachedRead<FeatureSet> | Promise<CachedRead<FeatureSet>>;
}
