import type { TokenStore } from "../../domain/admin/token-store.ts";
import type { Instant, UserId } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey, Json } from "../../domain/evaluation/feature.ts";

/** What the first line of an export says. */
export type DataHeader = {
  /** The version of what follows. */
  readonly tidegate: 1;
  /** Tells one pepper of tokens from another, and is of no use to guess it. */
  readonly pepper?: string;
};

/** The features of a set, which is named by its key; also by its connection, where two have such a key. */
export type SetLine = {
  readonly set: string;
  readonly connection?: string;
  readonly features: readonly FeatureKey[];
};

/** Whom a token speaks for. An export has what stands for it in a store of hashed tokens, and never the token. */
export type TokenLine = ({ readonly token: string } | { readonly tokenDigest: string }) & { readonly user: UserId };

/** Whether a text may stand for a token in a store of hashed tokens: 32 bytes as base64url. */
export const isTokenDigest = (text: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(text);

/** What people say of a feature. */
export type CatalogueLine = {
  readonly catalogue: FeatureKey;
  readonly description: string;
  readonly owner: string;
  readonly tags: readonly string[];
  readonly archived: boolean;
  readonly created?: Instant;
};

/** What a source, which is named as in the configuration, keeps of a feature. */
export type RuleLine = { readonly setting: Json; readonly source: string; readonly feature: FeatureKey };

/** One line of what is exported and imported. */
export type DataLine = DataHeader | SetLine | TokenLine | CatalogueLine | RuleLine;

/** Where the tokens of a configuration are. */
export type TokensOfData = {
  readonly store: TokenStore;
  /** Of tokens that are hashed: tells their pepper from another. */
  readonly pepper: string | undefined;
};
