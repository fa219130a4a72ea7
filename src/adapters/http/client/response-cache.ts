import { hash } from "node:crypto";
import fresh from "fresh";
import { LRUCache } from "lru-cache";
import type { EvaluatedFeatures } from "../../../application/evaluation/evaluate-features.ts";
import type { Freshness } from "../../../application/evaluation/freshness.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import { inOrder } from "../../../domain/evaluation/feature.ts";
import { securityHeaders } from "../kit/response-headers.ts";
import type { HttpCounters } from "../operations/http-counters.ts";
import { digestWith } from "./digest.ts";
import { staleMarks } from "./stale-marks.ts";

type Headers = Readonly<Record<string, string>>;

/** A response to send. */
export type CachedResponse = {
  readonly status: 200 | 304;
  readonly headers: Headers;
  readonly body: string | null;
  /** Encoding of the body; `latin1` if that equals UTF-8, because Node writes it faster. */
  readonly encoding: "utf8" | "latin1";
};

/** The serialized body of a set of features, with its headers. */
type Written = { readonly body: string; readonly length: string; readonly entityTag: string };

/** A cached response, with the freshness of its evaluation. */
type Prepared = { readonly body: string; readonly headers: Headers; readonly provenance: Freshness };

/** Average size of an entry with its key, in bytes. Larger entries reduce how many fit. */
const usualBytes = 1_000;

/**
 * Response cache: serialized responses, each valid while every read it depends on is current. A hit needs no evaluation
 * and no store read. Keys contain a digest of the credentials: no token is stored.
 */
export class ResponseCache {
  readonly #answers: LRUCache<string, Prepared>;
  readonly #now: () => Instant;
  readonly #evaluations: HttpCounters["evaluations"];
  readonly #vary: string;
  readonly #written = new WeakMap<EvaluatedFeatures["features"], Written>();

  /**
   * Caches at most `capacity` responses, and fewer if they are large. `headers` are the headers that responses vary by.
   */
  constructor(capacity: number, headers: readonly string[], now: () => Instant, counters: HttpCounters) {
    this.#now = now;
    this.#evaluations = counters.evaluations;
    this.#vary = ["Authorization", ...headers].join(", ");
    this.#answers = new LRUCache({
      max: capacity,
      maxSize: capacity * usualBytes,
      sizeCalculation: ({ body }, key) => body.length + key.length,
    });
  }

  /**
   * The cached response for a cache key and these headers; `undefined` on a miss. `wish` is the cache key: a target
   * such as `/features?location=madrid`, followed by the other values that responses vary by.
   */
  find(wish: string, authorization: string | undefined, ifNoneMatch: string | undefined): CachedResponse | undefined {
    // `peek` leaves the order of entries as it is: moving the entry would cost more than all other work here. So the
    // oldest entry is evicted first.
    const known = this.#answers.peek(keyOf(wish, authorization));
    if (!known?.provenance.isCurrent(this.#now())) return undefined;
    this.#evaluations.cached += 1;
    return replyOf(known, ifNoneMatch);
  }

  /** Builds the response for these features, and caches it if the evaluation is current. */
  prepare(
    wish: string,
    authorization: string | undefined,
    ifNoneMatch: string | undefined,
    found: EvaluatedFeatures,
  ): CachedResponse {
    const prepared = this.#prepared(found);
    if (found.freshness.isCurrent(this.#now())) this.#answers.set(keyOf(wish, authorization), prepared);
    return replyOf(prepared, ifNoneMatch);
  }

  /** Builds the response for these features without caching it, for a caller that cannot repeat its request. */
  reply(ifNoneMatch: string | undefined, found: EvaluatedFeatures): CachedResponse {
    return replyOf(this.#prepared(found), ifNoneMatch);
  }

  #prepared(found: EvaluatedFeatures): Prepared {
    const [result, marks] = freshness(found, this.#now());
    this.#evaluations[result] += 1;
    const { body, length, entityTag } = this.#write(found.features);
    // One literal, so that V8 allocates the object with its final shape.
    const headers = {
      "Content-Type": "application/json",
      "X-Content-Type-Options": securityHeaders["X-Content-Type-Options"],
      "Referrer-Policy": securityHeaders["Referrer-Policy"],
      "Cache-Control": "private, no-cache",
      Vary: this.#vary,
      "Content-Length": length,
      ETag: entityTag,
      ...(found.changesAt === undefined ? undefined : { "Next-Change-At": new Date(found.changesAt).toISOString() }),
      ...marks,
    };
    return { body, headers, provenance: found.freshness };
  }

  #write(features: EvaluatedFeatures["features"]): Written {
    const before = this.#written.get(features);
    if (before) return before;
    const body = JSON.stringify({ active_features: inOrder(features.keys()) });
    const entityTag = `"${hash("sha256", body, "base64url")}"`;
    const written = { body, length: `${Buffer.byteLength(body)}`, entityTag };
    this.#written.set(features, written);
    return written;
  }
}

/** An empty Authorization header and an absent one have different keys. */
const keyOf = (wish: string, authorization: string | undefined): string =>
  authorization === undefined ? wish : digestWith(authorization, wish);

function replyOf({ body, headers }: Prepared, ifNoneMatch: string | undefined): CachedResponse {
  if (ifNoneMatch === undefined || !fresh({ "if-none-match": ifNoneMatch }, { etag: headers["ETag"] })) {
    const encoding = headers["Content-Length"] === `${body.length}` ? "latin1" : "utf8";
    return { status: 200, headers, body, encoding };
  }
  const { "Content-Type": _, "Content-Length": __, ...others } = headers;
  return { status: 304, headers: others, body: null, encoding: "utf8" };
}

const incompleteDetail = (missing: readonly string[]): string => `incomplete: ${missing.join(" ")}`;

/** `Cache-Status` of a response that lacks results of sources. */
export const incompleteStatus = (missing: readonly string[]): string =>
  `tidegate; fwd=miss; detail="${incompleteDetail(missing)}"`;

/**
 * Classifies a response, with the headers that mark it as stale or incomplete (RFC 9211, RFC 9111). A fresh response
 * has no marks.
 */
function freshness(
  { missing, freshness: provenance }: EvaluatedFeatures,
  now: Instant,
): [result: "fresh" | "stale" | "partial", marks: Headers] {
  const stale = provenance.isStale(now);
  const incomplete = missing.length > 0 ? incompleteDetail(missing) : "";
  if (stale) return ["stale", staleMarks(now - provenance.verifiedAt(now), incomplete)];
  return incomplete ? ["partial", { "Cache-Status": incompleteStatus(missing) }] : ["fresh", {}];
}
