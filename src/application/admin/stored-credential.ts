import { type Credential, scopes } from "../../domain/admin/credential.ts";
import type { Document } from "../../domain/admin/document-store.ts";
import type { Json } from "../../domain/evaluation/feature.ts";

/** The collection of documents that holds the credentials, by their names. */
export const credentialsCollection = "credentials";

/**
 * A credential as a store keeps it. The digest is the SHA-256 of 32 random bytes, which nobody can guess, so that it may be read by
 * whoever reads the store, or the record of its change.
 */
export type StoredCredential = Credential & {
  readonly digest: string;
  /** When it was added: RFC 3339. */
  readonly since: string;
};

/** What a document is to hold of a credential. */
export const credentialValue = ({ name: _, ...value }: StoredCredential): Json => value;

/** The credentials that documents hold. What is none is left out: it lets nobody in. */
export const credentialsIn = (documents: ReadonlyMap<string, Document>): readonly StoredCredential[] =>
  [...documents].flatMap(([name, { value }]) => credentialIn(name, value) ?? []);

function credentialIn(name: string, value: Json): StoredCredential | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { digest, scope: given, email, since } = value as { readonly [member: string]: Json };
  const scope = scopes.find((each) => each === given);
  if (typeof digest !== "string" || typeof since !== "string" || !scope) return undefined;
  return { name, digest, scope, since, ...(typeof email === "string" && { email }) };
}
