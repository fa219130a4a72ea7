import { hash, randomBytes } from "node:crypto";
import { waitAtMost } from "../../../application/async/deadline.ts";
import type { ContextFields } from "../../../application/evaluation/context-fields.ts";
import type { FlagsContext } from "../../../application/evaluation/evaluate-flags.ts";
import type { Secrets } from "../../../domain/admin/secrets.ts";
import type { CachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import { isValue } from "../../../domain/evaluation/key-template.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { Channels, endOfMonth } from "./channel.ts";
import { type StreamLimits, shedMs } from "./stream-limits.ts";

/** The route of event streams of OpenFeature clients. */
export const ofrepStreamPath = "/ofrep/v1/stream";

/** An entry of `eventStreams` (OFREP 0.3.0). */
export type EventStreamEntry = {
  readonly type: "sse";
  readonly endpoint: { readonly requestUri: string };
  readonly inactivityDelaySec: number;
};

/** Whether a stream is advertised, and the read that a response depends on because of that. */
export type Advertisement = { readonly entry: EventStreamEntry | undefined; readonly read: CachedRead<unknown> };

/** Longest wait for the secret, in milliseconds. */
const maxReadMs = 200;
/** Pause between two reads of the secret, in milliseconds. */
const readAgainMs = 1_000;
/** Time after which a client may stop its stream while it is not visible, in seconds. */
const inactivityDelaySec = 30;
const secretName = "streams";

type AdvertisedStreamsOptions = {
  readonly fields: ContextFields;
  readonly basePath: string;
  readonly now: () => Instant;
  /** Receives failures to read the secret. */
  readonly failed: (cause: unknown) => void;
};

/**
 * Advertises event streams in OFREP responses, except to clients whose streams are shed. Until the secret can be read,
 * channels are valid in this process alone: a web client that starts without a stream would never look for one again.
 */
export class AdvertisedStreams {
  readonly #secrets: Secrets;
  readonly #limits: StreamLimits;
  readonly #options: AdvertisedStreamsOptions;
  #secret: Uint8Array | undefined;
  /** The channels that are valid on all instances. */
  #channels: Channels | undefined;
  readonly #ownChannels = new Channels(randomBytes(32));
  #reading: Promise<void> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(secrets: Secrets, limits: StreamLimits, options: AdvertisedStreamsOptions) {
    this.#secrets = secrets;
    this.#limits = limits;
    this.#options = options;
  }

  /** The advertisement for a context; `undefined` if the context has no stream, because it is too long. */
  async advertise(context: FlagsContext, address: string | undefined): Promise<Advertisement | undefined> {
    if (!this.#channels) await this.#read();
    const now = this.#options.now();
    const caller = callerOf(context);
    const channel = (this.#channels ?? this.#ownChannels).seal(this.#reduced(context), now);
    if (channel === undefined) return undefined;
    const isShed = this.#limits.isShed(caller);
    const isAdvertised = !isShed && !this.#limits.isAddressShed(address);
    const requestUri = `${this.#options.basePath}${ofrepStreamPath}?channel=${channel}`;
    return {
      entry: isAdvertised ? { type: "sse", endpoint: { requestUri }, inactivityDelaySec } : undefined,
      read: this.#asRead(caller, isShed, now),
    };
  }

  /** The context of a channel. Rejects with `HttpProblem` `unknown-channel`. */
  async contextOf(channel: string): Promise<FlagsContext> {
    if (!this.#channels) await this.#read();
    const open = () => {
      const now = this.#options.now();
      return this.#channels?.open(channel, now) ?? this.#ownChannels.open(channel, now);
    };
    let context = open();
    if (!context) {
      // The store may have been replaced, and its secret with it.
      await this.#read();
      context = open();
    }
    if (context) return context;
    throw new HttpProblem(
      "unknown-channel",
      "The channel is unknown or has expired. Evaluate all flags: the response has the present stream.",
    );
  }

  /** The fields that sources read, the user, and the token or credential by which the user is known. */
  #reduced({ userId, tokenKey, credential, targetingKey, locations, ip, attributes }: FlagsContext): FlagsContext {
    const { fields } = this.#options;
    const read = Object.entries(attributes ?? {}).filter(([name]) => fields.has(`attributes.${name}`));
    return {
      ...(userId !== undefined && isValue(userId) && { userId }),
      ...(tokenKey !== undefined && { tokenKey }),
      ...(credential !== undefined && { credential }),
      ...(targetingKey !== undefined && fields.has("targetingKey") && { targetingKey }),
      ...(locations && fields.has("locations") && { locations }),
      ...(ip !== undefined && fields.has("ip") && { ip }),
      ...(read.length > 0 && { attributes: Object.fromEntries(read.sort(([one], [other]) => (one < other ? -1 : 1))) }),
    };
  }

  /** A read that is current until the month ends, or until the advertisement may change. */
  #asRead(caller: string | undefined, isShed: boolean, now: Instant): CachedRead<unknown> {
    const channels = this.#channels;
    const changesAt = channels ? (isShed ? now + shedMs : Number.POSITIVE_INFINITY) : now + readAgainMs;
    const validUntil = Math.min(endOfMonth(now), changesAt);
    const isStill = () => this.#channels === channels && this.#limits.isShed(caller) === isShed;
    return {
      value: undefined,
      lastError: undefined,
      validUntil,
      invalidations: this.#limits.invalidations,
      isCurrent: (at) => at < validUntil && isStill(),
      verifiedAt: (at) => at,
    };
  }

  /** Reads the secret, at most once a second, and waits for it a short time. */
  async #read(): Promise<void> {
    if (performance.now() - this.#readAt >= readAgainMs) {
      this.#readAt = performance.now();
      this.#reading = this.#secrets.read(secretName).then(
        (secret) => this.#use(secret),
        (cause) => this.#options.failed(cause),
      );
    }
    if (this.#reading) await waitAtMost(maxReadMs, this.#reading);
  }

  #use(secret: Uint8Array): void {
    if (this.#secret && Buffer.compare(this.#secret, secret) === 0) return;
    this.#secret = secret;
    this.#channels = new Channels(secret);
    this.#limits.invalidations.notify();
  }
}

/** A digest of the user, for limits; `undefined` if the caller is anonymous. */
export const callerOf = ({ userId }: FlagsContext): string | undefined =>
  userId === undefined ? undefined : `user ${hash("sha256", userId, "base64")}`;
