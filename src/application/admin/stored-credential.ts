import { type Credential, scopes } from "../../domain/admin/credential.ts";
import type { Document } from "../../domain/admin/document-store.ts";
import type { Json } from "../../domain/evaluation/feature.ts";

/** The collection of the credentials, by name. */
export const credentialsCollection = "credentials";

/**
 * A stored credential. The digest is the SHA-256 of 32 random bytes. It cannot be guessed, so it may appear in the
 * store and in change records.
 */
export type StoredCredential = Credential & {
  readonly digest: string;
  /** The time of its creation: RFC 3339. */
  readonly since: string;
};

/** The document of a credential. */
export const credentialValue = ({ name: _, ...value }: StoredCredential): Json => value;

/** The credentials in documents. Leaves out malformed ones, so they grant no access. */
export const credentialsIn = (documents: ReadonlyMap<string, Document>): readonly StoredCredential[] =>
  [...documents].flatMap(([name, { value }]) => credentialIn(name, value) ?? []);

function credentialIn(name: string, value: Json): StoredCredential | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { digest, scope: storedScope, email, since } = value as { readonly [member: string]: Json };
  const scope = scopes.find((each) => each === storedScope);
  if (typeof digest !== "string" || typeof since !== "string" || !scope) return undefined;
  return { name, digest, scope, since, ...(typeof email === "string" && { email }) };
}
