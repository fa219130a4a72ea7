import type { Credential } from "../../domain/admin/credential.ts";
import type { DocumentStore } from "../../domain/admin/document-store.ts";
import { SourceUnavailable } from "../../domain/errors.ts";
import type { TokenResolver } from "../../domain/evaluation/token-resolver.ts";
import { withDeadline } from "../evaluation/deadline.ts";
import { credentialsCollection, credentialsIn } from "./stored-credential.ts";

/** A credential that is revoked may be used for so long. */
const knownForMs = 1_000;
/** One that is added may be refused for so long: what nobody knows must not keep the store busy. */
const unknownForMs = 100;
/** A store that failed is left alone for so long. */
const failedForMs = 1_000;
const timeoutMs = 500;

/** Whom a secret belongs to: an operator, a client of the service, or nobody. */
export type Identified = Credential | "client" | undefined;

/** What operators are identified by, beside what the store holds. */
export type IdentifyOptions = {
  /** What is kept of a secret. */
  readonly digestOf: (secret: string) => string;
  /** The secret of a credential that no store holds. */
  readonly first: { readonly secret: string; readonly credential: Credential } | undefined;
  /** For how long a credential goes on being known while the store does not answer, in milliseconds. */
  readonly maxStaleMs: number;
  /** Milliseconds by a clock that nobody sets. */
  readonly now: () => number;
};

/**
 * Says whose a secret is. What the store holds is remembered for a second, so that no revoked credential is known for longer by
 * any instance. While the store does not answer, those that were known are, for a time.
 */
export class IdentifyOperator {
  readonly #documents: DocumentStore | undefined;
  readonly #clients: TokenResolver;
  readonly #options: IdentifyOptions;
  readonly #first: { readonly digest: string; readonly credential: Credential } | undefined;
  #known: ReadonlyMap<string, Credential> = new Map();
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

  /** Rejects with `SourceUnavailable` when the store does not answer, for a secret that was not known lately. */
  async identify(secret: string): Promise<Identified> {
    const digest = this.#options.digestOf(secret);
    if (digest === this.#first?.digest) return this.#first.credential;
    return (await this.#stored(digest)) ?? ((await this.#isClients(secret)) ? "client" : undefined);
  }

  async #stored(digest: string): Promise<Credential | undefined> {
    if (!this.#documents) return undefined;
    const known = this.#known.get(digest);
    if (this.#age() < (known ? knownForMs : unknownForMs)) return known;
    try {
      await this.#refresh(this.#documents);
    } catch (cause) {
      if (known && this.#age() < this.#options.maxStaleMs) return known;
      throw new SourceUnavailable("credentials", cause);
    }
    return this.#known.get(digest);
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
      this.#known = new Map(stored.map(({ digest, since: _, ...credential }) => [digest, credential]));
      this.#readAt = at;
      this.#failure = undefined;
    } catch (cause) {
      this.#failure = { at: this.#options.now(), cause };
      throw cause;
    }
  }

  /** Only tells one refusal from another, so that a store of tokens that is away is no reason to tell none. */
  async #isClients(secret: string): Promise<boolean> {
    try {
      return (await this.#clients.resolve(secret)).value !== undefined;
    } catch {
      return false;
    }
  }
}
