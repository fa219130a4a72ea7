import type { TokenStore } from "../../domain/admin/token-store.ts";
import type { Instant, UserId } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey, Json } from "../../domain/evaluation/feature.ts";
import type { Description } from "../admin/catalogue.ts";

/** The first line of an export. */
export type DataHeader = {
  /** The version of the format. */
  readonly tidegate: 1;
  /** A fingerprint of the token pepper. It does not reveal the pepper. */
  readonly pepper?: string;
};

/** The features of a set, named by its key, and by its connection if two connections have such a key. */
export type SetLine = {
  readonly set: string;
  readonly connection?: string;
  readonly features: readonly FeatureKey[];
};

/** The user of a token. An export holds the digest from a store of hashed tokens, never the token. */
export type TokenLine = ({ readonly token: string } | { readonly tokenDigest: string }) & { readonly user: UserId };

/** Whether a text may be a digest in a store of hashed tokens: 32 bytes as base64url. */
export const isTokenDigest = (text: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(text);

/** The description of a feature. */
export type CatalogueLine = Description & { readonly catalogue: FeatureKey; readonly created?: Instant };

/** The rule of a feature in a source. */
export type RuleLine = { readonly rule: Json; readonly source: string; readonly feature: FeatureKey };

/** One line of an export or import. */
export type DataLine = DataHeader | SetLine | TokenLine | CatalogueLine | RuleLine;

/** The token store of a configuration. */
export type TokensOfData = {
  readonly store: TokenStore;
  /** The fingerprint of the pepper, if tokens are hashed. */
  readonly pepper: string | undefined;
};
