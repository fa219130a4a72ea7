import { type ChangeOptions, externalActor } from "../../domain/admin/change.ts";
import { firstCredential, type Scope } from "../../domain/admin/credential.ts";
import type { DocumentStore } from "../../domain/admin/document-store.ts";
import { ChangeRejected, RevisionMismatch } from "../../domain/errors.ts";
import { type Instant, instantText } from "../../domain/evaluation/evaluation-context.ts";
import { credentialsCollection, credentialsIn, credentialValue, type StoredCredential } from "./stored-credential.ts";

const nameSyntax = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}$/;
const emailSyntax = /^[^\s@\p{C}]{1,64}@[^\s@\p{C}]{1,189}$/u;
const reservedNames = [firstCredential.name, externalActor];

/** A new secret, and the digest that is stored. */
export type NewSecret = { readonly secret: string; readonly digest: string };

/** Issues and revokes operator credentials. */
export class ManageCredentials {
  readonly #documents: DocumentStore | undefined;
  readonly #newSecret: () => NewSecret;
  readonly #newId: () => string;
  readonly #now: () => Instant;

  constructor(
    documents: DocumentStore | undefined,
    newSecret: () => NewSecret,
    newId: () => string,
    now: () => Instant,
  ) {
    this.#documents = documents;
    this.#newSecret = newSecret;
    this.#newId = newId;
    this.#now = now;
  }

  /**
   * Adds a credential. Returns its secret, which cannot be read again. Rejects with `ChangeRejected` for a name that is
   * in use or invalid, and for an invalid email address.
   */
  async add(name: string, scope: Scope, email: string | undefined, options: ChangeOptions): Promise<string> {
    if (!nameSyntax.test(name)) {
      throw new ChangeRejected(
        `Invalid name ${JSON.stringify(name)} (expected 1 to 100 of A-Z a-z 0-9 . _ @ + -, a letter or digit first).`,
      );
    }
    if (reservedNames.includes(name))
      throw new ChangeRejected(`The name ${name} is reserved for Tidegate. Use another name.`);
    if (email !== undefined && !emailSyntax.test(email)) {
      throw new ChangeRejected(
        `Invalid email address ${JSON.stringify(email)} (expected, for example, alice@example.org).`,
      );
    }
    const { secret, digest } = this.#newSecret();
    const since = instantText(this.#now());
    const value = credentialValue({ name, scope, digest, since, ...(email !== undefined && { email }) });
    try {
      await this.#put(name, value, { ...options, ifRevision: null });
    } catch (error) {
      if (!(error instanceof RevisionMismatch)) throw error;
      throw new ChangeRejected(`The credential ${name} exists. Revoke it first, or use another name.`);
    }
    return secret;
  }

  /** All credentials except the first one, by name. */
  async list(): Promise<readonly Omit<StoredCredential, "digest">[]> {
    const stored = credentialsIn(await this.#store().all(credentialsCollection));
    return stored.map(({ digest: _, ...credential }) => credential).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Revokes a credential; every instance rejects it within a second. Rejects with `ChangeRejected` if it does not
   * exist.
   */
  async revoke(name: string, options: ChangeOptions): Promise<void> {
    const present = await this.#store().get(credentialsCollection, name);
    if (!present) {
      throw new ChangeRejected(
        `Unknown credential ${JSON.stringify(name)}. \`tidegate credentials list\` prints the names.`,
      );
    }
    await this.#put(name, null, options);
  }

  async #put(name: string, value: ReturnType<typeof credentialValue>, options: ChangeOptions): Promise<void> {
    await this.#store().put({ ...options, id: this.#newId(), collection: credentialsCollection, name, value });
  }

  #store(): DocumentStore {
    if (this.#documents) return this.#documents;
    throw new ChangeRejected("No store is configured for credentials. Declare one under `connections`.");
  }
}
