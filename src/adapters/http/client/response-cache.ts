import { hash } from "node:crypto";
import fresh from "fresh";
import { LRUCache } from "lru-cache";
import type { EvaluatedFeatures } from "../../../application/evaluation/evaluate-features.ts";
import type { Freshness } from "../../../application/evaluation/freshness.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import { inOrder } from "../../../domain/evaluation/feature.ts";
import { securityHeaders } from "../kit/problem.ts";
import type { Counts } from "../operations/counts.ts";
import { digestWith } from "./digest.ts";
import { staleMarks } from "./stale-marks.ts";

type Headers = Readonly<Record<string, string>>;

/** What goes out. */
export type CachedResponse = {
  readonly status: 200 | 304;
  readonly headers: Headers;
  readonly body: string | null;
  /** How the body is to be encoded; `latin1` where that is the same as UTF-8, since Node writes it faster. */
  readonly encoding: "utf8" | "latin1";
};

/** What is made from features alone. */
type Written = { readonly body: string; readonly length: string; readonly entityTag: string };

/** An answer that can be sent as often as it is current. */
type Prepared = { readonly body: string; readonly headers: Headers; readonly provenance: Freshness };

/** So large an answer may be, with its key, for as many to be kept as there is capacity for. */
const usualBytes = 1_000;

/**
 * Answers as bytes and headers, each for as long as all that it was made from is current, so that a call which is like one
 * before costs no evaluation and reads nothing. They are kept under a digest of the credentials: no token stays in memory.
 */
export class ResponseCache {
  readonly #answers: LRUCache<string, Prepared>;
  readonly #now: () => Instant;
  readonly #counts: Counts;
  readonly #vary: string;
  readonly #written = new WeakMap<EvaluatedFeatures["features"], Written>();

  /** Keeps at most `capacity` answers, and fewer where they are large. `headers` are those that answers depend on. */
  constructor(capacity: number, headers: readonly string[], now: () => Instant, counts: Counts) {
    this.#now = now;
    this.#counts = counts;
    this.#vary = ["Authorization", ...headers].join(", ");
    this.#answers = new LRUCache({
      max: capacity,
      maxSize: capacity * usualBytes,
      sizeCalculation: ({ body }, key) => body.length + key.length,
    });
  }

  /**
   * The reply to a call with these headers, for a wish: a target like `/features?location=madrid`, and what else answers depend on;
   * `undefined` where none is prepared.
   */
  find(wish: string, authorization: string | undefined, ifNoneMatch: string | undefined): CachedResponse | undefined {
    // Not moved to the front, because touching its neighbours would cost more than all the rest: the oldest goes first.
    const known = this.#answers.peek(keyOf(wish, authorization));
    if (!known?.provenance.isCurrent(this.#now())) return undefined;
    this.#counts.answers.remembered += 1;
    return replyOf(known, ifNoneMatch);
  }

  /** The reply that tells these features; keeps it for the same wish where it is current. */
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

  /** The reply that tells these features to somebody who cannot ask for the same again. */
  reply(ifNoneMatch: string | undefined, found: EvaluatedFeatures): CachedResponse {
    return replyOf(this.#prepared(found), ifNoneMatch);
  }

  #prepared(found: EvaluatedFeatures): Prepared {
    const [kind, marks] = freshness(found, this.#now());
    this.#counts.answers[kind] += 1;
    const { body, length, entityTag } = this.#write(found.features);
    // One literal, so that V8 keeps it in one piece.
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

/** An empty Authorization header is not the same as none. */
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

/** `Cache-Status` of an answer that lacks sources. */
export const incompleteStatus = (missing: readonly string[]): string =>
  `tidegate; fwd=miss; detail="${incompleteDetail(missing)}"`;

/** What an answer says of itself that is stale or incomplete (RFC 9211, RFC 9111); a fresh one says nothing. */
function freshness(
  { missing, freshness: provenance }: EvaluatedFeatures,
  now: Instant,
): [kind: "fresh" | "stale" | "incomplete", marks: Headers] {
  const stale = provenance.isStale(now);
  const incomplete = missing.length > 0 ? incompleteDetail(missing) : "";
  if (stale) return ["stale", staleMarks(now - provenance.verifiedAt(now), incomplete)];
  return incomplete ? ["incomplete", { "Cache-Status": incompleteStatus(missing) }] : ["fresh", {}];
}
