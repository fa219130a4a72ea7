import type { Credential } from "../../domain/admin/credential.ts";
import type { DocumentStore } from "../../domain/admin/document-store.ts";
import { SourceUnavailable } from "../../domain/errors.ts";
import type { TokenResolver } from "../../domain/evaluation/token-resolver.ts";
import { withDeadline } from "../async/deadline.ts";
import { credentialsCollection, credentialsIn } from "./stored-credential.ts";

/** How long a cached credential is accepted. Revocation takes effect within this time. */
const knownForMs = 1_000;
/** How long a cached miss is valid. It limits the reads that unknown secrets cause. */
const unknownForMs = 100;
/** Pause after a failed read. */
const failedForMs = 1_000;
const timeoutMs = 500;

/** The owner of a secret: an operator, a client of the service, or neither. */
export type IdentifiedOperator = Credential | "client" | undefined;

/** Options for the identification of operators. */
export type IdentifyOptions = {
  /** The digest under which a secret is stored. */
  readonly digestOf: (secret: string) => string;
  /** The credential from the environment or a file, with its secret. */
  readonly first: { readonly secret: string; readonly credential: Credential } | undefined;
  /** Maximum age of cached credentials while the store does not respond, in milliseconds. */
  readonly maxStaleMs: number;
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number;
};

/**
 * Identifies the owner of a secret. Caches stored credentials for a second, so that every instance rejects a revoked
 * one within that time. While the store does not respond, cached credentials stay valid for `maxStaleMs`.
 */
export class IdentifyOperator {
  readonly #documents: DocumentStore | undefined;
  readonly #clients: TokenResolver;
  readonly #options: IdentifyOptions;
  readonly #first: { readonly digest: string; readonly credential: Credential } | undefined;
  #cached: ReadonlyMap<string, Credential> = new Map();
  #readAt = Number.NEGATIVE_INFINITY;
  #failure: { readonly at: number; readonly cause: unknown } | undefined;
  #underway: Promise<void> | undefined;

  constructor(documents: DocumentStore | undefined, clients: TokenResolver, options: IdentifyOptions) {
    this.#documents = documents;
    this.#clients = clients;
    this.#options = options;
    const { first, digestOf } = options;
    this.#first = first && { digest: digestOf(first.secret), credential: first.credential };
  }

  /** Rejects with `SourceUnavailable` if the store does not respond and the secret has no cached credential. */
  async identify(secret: string): Promise<IdentifiedOperator> {
    const credential = await this.credentialOf(this.digestOf(secret));
    return credential ?? ((await this.#isClients(secret)) ? "client" : undefined);
  }

  /** The digest under which a secret is stored. */
  digestOf(secret: string): string {
    return this.#options.digestOf(secret);
  }

  /** The credential whose secret has a digest. Rejects as `identify` does. */
  async credentialOf(digest: string): Promise<Credential | undefined> {
    return digest === this.#first?.digest ? this.#first.credential : this.#stored(digest);
  }

  async #stored(digest: string): Promise<Credential | undefined> {
    if (!this.#documents) return undefined;
    const cached = this.#cached.get(digest);
    if (this.#age() < (cached ? knownForMs : unknownForMs)) return cached;
    try {
      await this.#refresh(this.#documents);
    } catch (cause) {
      if (cached && this.#age() < this.#options.maxStaleMs) return cached;
      throw new SourceUnavailable("credentials", cause);
    }
    return this.#cached.get(digest);
  }

  #age(): number {
    return this.#options.now() - this.#readAt;
  }

  #refresh(documents: DocumentStore): Promise<void> {
    const { now } = this.#options;
    if (this.#failure && now() - this.#failure.at < failedForMs) return Promise.reject(this.#failure.cause);
    this.#underway ??= this.#read(documents, now()).finally(() => {
      this.#underway = undefined;
    });
    return this.#underway;
  }

  async #read(documents: DocumentStore, at: number): Promise<void> {
    try {
      const stored = credentialsIn(await withDeadline(timeoutMs, () => documents.all(credentialsCollection)));
      this.#cached = new Map(stored.map(({ digest, since: _, ...credential }) => [digest, credential]));
      this.#readAt = at;
      this.#failure = undefined;
    } catch (cause) {
      this.#failure = { at: this.#options.now(), cause };
      throw cause;
    }
  }

  /** Used only to choose the error for a rejected secret, so an outage of the token store counts as no client. */
  async #isClients(secret: string): Promise<boolean> {
    try {
      return (await this.#clients.resolve(secret)).value !== undefined;
    } catch {
      return false;
    }
  }
}
