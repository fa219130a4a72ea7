import { type Credential, type Scope, scopes } from "../../domain/admin/credential.ts";
import type { IdempotencyKeys } from "../../domain/admin/idempotency-keys.ts";
import type { Secrets } from "../../domain/admin/secrets.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { withDeadline } from "../async/deadline.ts";
import { callStore } from "./call-store.ts";
import type { IdentifyOperator } from "./identify-operator.ts";

const secretName = "sessions";
/** Shortest time between two reads of the secret, in milliseconds. */
const readAgainMs = 1_000;
const timeoutMs = 500;
/** How long a sign-in link is valid, in milliseconds. */
const linkMs = 15 * 60_000;

/** The session of a signed-in operator. */
export type Session = { readonly credential: Credential; readonly expiresAt: Instant };

/** Sealed proof that a credential was presented. */
type Proof = {
  readonly kind: "session" | "link";
  readonly id: string;
  /** The digest of the credential, so that its revocation ends the session. */
  readonly digest: string;
  readonly scope: Scope;
  readonly expiresAt: Instant;
};

/** Seals texts with a secret. */
type Sealing = {
  readonly seal: (text: string) => string;
  /** `undefined` if the text was not sealed with the secret. */
  readonly open: (sealed: string) => string | undefined;
};

export type SessionOptions = {
  readonly sealingWith: (secret: Uint8Array) => Sealing;
  readonly digestOf: (secret: string) => string;
  readonly newId: () => string;
  readonly now: () => Instant;
  /** How long a session is valid, in milliseconds; at most 24 h, as idempotency keys are. */
  readonly lifetimeMs: number;
};

/**
 * Sessions of operators in browsers. A session is a sealed text with the digest of its credential: any instance opens
 * it, and starting one writes nothing. It ends when it expires or is ended, and when its credential is revoked or has
 * another scope. All methods reject with `SourceUnavailable` if the secret or the credentials cannot be read.
 */
export class Sessions {
  readonly #secrets: Secrets;
  /** Which links were used, and which sessions were ended. */
  readonly #idempotencyKeys: IdempotencyKeys;
  readonly #operators: IdentifyOperator;
  readonly #options: SessionOptions;
  #sealing: Sealing | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(
    secrets: Secrets,
    idempotencyKeys: IdempotencyKeys,
    operators: IdentifyOperator,
    options: SessionOptions,
  ) {
    this.#secrets = secrets;
    this.#idempotencyKeys = idempotencyKeys;
    this.#operators = operators;
    this.#options = options;
  }

  /** A new session of the credential with this secret, as text. */
  start(secret: string, { scope }: Credential): Promise<string> {
    return this.#seal("session", this.#options.digestOf(secret), scope, this.#options.lifetimeMs);
  }

  /** A text that starts one session within 15 minutes. */
  link(secret: string, { scope }: Credential): Promise<string> {
    return this.#seal("link", this.#options.digestOf(secret), scope, linkMs);
  }

  /** The session that a link starts, as text; `undefined` if the link is unknown, used or expired. */
  async startByLink(link: string): Promise<string | undefined> {
    const proof = await this.#open("link", link);
    if (!proof || !(await this.#credentialOf(proof))) return undefined;
    const session = this.#options.newId();
    const isFirst = await callStore("sessions", () => this.#idempotencyKeys.claim(`link ${proof.id}`, session));
    return isFirst ? this.#seal("session", proof.digest, proof.scope, this.#options.lifetimeMs) : undefined;
  }

  /** `undefined` if the session is unknown or over. */
  async find(session: string): Promise<Session | undefined> {
    const proof = await this.#open("session", session);
    const credential = proof && (await this.#credentialOf(proof));
    if (!proof || !credential || (await this.#isEnded(proof.id))) return undefined;
    return { credential, expiresAt: proof.expiresAt };
  }

  /** Ends a session on all instances. Does nothing if it is unknown or over. */
  async end(session: string): Promise<void> {
    const proof = await this.#open("session", session);
    if (proof) await callStore("sessions", () => this.#idempotencyKeys.claim(endOf(proof.id), "ended"));
  }

  /** The credential behind a proof; `undefined` if it was revoked or has another scope. */
  async #credentialOf({ digest, scope }: Proof): Promise<Credential | undefined> {
    const credential = await this.#operators.credentialOf(digest);
    return credential?.scope === scope ? credential : undefined;
  }

  /** While the store does not respond, sessions stay valid, as cached credentials do. */
  async #isEnded(id: string): Promise<boolean> {
    try {
      return (await withDeadline(timeoutMs, () => this.#idempotencyKeys.purposeOf(endOf(id)))) !== undefined;
    } catch {
      return false;
    }
  }

  async #seal(kind: Proof["kind"], digest: string, scope: Scope, lifetimeMs: number): Promise<string> {
    const { newId, now } = this.#options;
    const sealing = this.#sealing ?? (await this.#read());
    return sealing.seal(JSON.stringify([kind, newId(), digest, scope, now() + lifetimeMs]));
  }

  async #open(kind: Proof["kind"], sealed: string): Promise<Proof | undefined> {
    const sealing = this.#sealing ?? (await this.#read());
    const proof = proofIn(sealing.open(sealed)) ?? proofIn(await this.#openAgain(sealed));
    return proof?.kind === kind && this.#options.now() < proof.expiresAt ? proof : undefined;
  }

  /** Opens with the present secret: the store may have been replaced, and its secret with it. */
  async #openAgain(sealed: string): Promise<string | undefined> {
    if (this.#options.now() - this.#readAt < readAgainMs) return undefined;
    return (await this.#read()).open(sealed);
  }

  async #read(): Promise<Sealing> {
    const secret = await callStore("sessions", async () =>
      withDeadline(timeoutMs, () => this.#secrets.read(secretName)),
    );
    this.#readAt = this.#options.now();
    this.#sealing = this.#options.sealingWith(secret);
    return this.#sealing;
  }
}

const endOf = (id: string): string => `session ${id}`;

function proofIn(text: string | undefined): Proof | undefined {
  if (text === undefined) return undefined;
  const [kind, id, digest, scope, expiresAt] = JSON.parse(text);
  return scopes.includes(scope) ? { kind, id, digest, scope, expiresAt } : undefined;
}
