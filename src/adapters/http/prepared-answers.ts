import { hash } from "node:crypto";
import fresh from "fresh";
import { LRUCache } from "lru-cache";
import type { Provenance } from "../../application/provenance.ts";
import type { Features } from "../../application/resolve-features.ts";
import type { Instant } from "../../domain/evaluation-context.ts";
import { inOrder } from "../../domain/feature.ts";
import { freshnessBoundMs } from "../../domain/held.ts";
import type { Counts } from "./counts.ts";
import { digestWith } from "./digest.ts";
import { securityHeaders } from "./problem.ts";

type Headers = Readonly<Record<string, string>>;

/** What goes out. */
export type Reply = {
  readonly status: 200 | 304;
  readonly headers: Headers;
  readonly body: string | null;
  /** How the body is to be encoded; `latin1` where that is the same as UTF-8, since Node writes it faster. */
  readonly encoding: "utf8" | "latin1";
};

/** An answer that can be sent as often as it is current. */
type Prepared = { readonly body: string; readonly headers: Headers; readonly provenance: Provenance };

/** So large an answer may be, with its key, for as many to be kept as there is capacity for. */
const usualBytes = 1_000;

/**
 * Answers as bytes and headers, each for as long as all that it was made from is current, so that a call which is like one
 * before costs no evaluation and reads nothing. They are kept under a digest of the credentials: no token stays in memory.
 */
export class PreparedAnswers {
  readonly #answers: LRUCache<string, Prepared>;
  readonly #now: () => Instant;
  readonly #counts: Counts;

  /** Keeps at most `capacity` answers, and fewer where they are large. */
  constructor(capacity: number, now: () => Instant, counts: Counts) {
    this.#now = now;
    this.#counts = counts;
    this.#answers = new LRUCache({
      max: capacity,
      maxSize: capacity * usualBytes,
      sizeCalculation: ({ body }, key) => body.length + key.length,
    });
  }

  /** The reply to a call with these headers, for a target like `/features?location=madrid`; `undefined` where none is prepared. */
  find(target: string, authorization: string | undefined, ifNoneMatch: string | undefined): Reply | undefined {
    // Not moved to the front, because touching its neighbours would cost more than all the rest: the oldest goes first.
    const known = this.#answers.peek(keyOf(target, authorization));
    if (!known?.provenance.isCurrent(this.#now())) return undefined;
    this.#counts.answers.remembered += 1;
    return replyOf(known, ifNoneMatch);
  }

  /** The reply that tells these features; keeps it where it is current. */
  prepare(target: string, authorization: string | undefined, ifNoneMatch: string | undefined, found: Features): Reply {
    const at = this.#now();
    const body = JSON.stringify({ active_features: inOrder(found.features.keys()) });
    const [kind, marks] = freshness(found, at);
    this.#counts.answers[kind] += 1;
    // One literal, so that V8 keeps it in one piece.
    const headers = {
      "Content-Type": "application/json",
      "X-Content-Type-Options": securityHeaders["X-Content-Type-Options"],
      "Referrer-Policy": securityHeaders["Referrer-Policy"],
      "Cache-Control": "private, no-cache",
      Vary: "Authorization",
      "Content-Length": `${Buffer.byteLength(body)}`,
      ETag: `"${hash("sha256", body, "base64url")}"`,
      ...marks,
    };
    const prepared = { body, headers, provenance: found.provenance };
    if (found.provenance.isCurrent(at)) this.#answers.set(keyOf(target, authorization), prepared);
    return replyOf(prepared, ifNoneMatch);
  }
}

/** An empty Authorization header is not the same as none. */
const keyOf = (target: string, authorization: string | undefined): string =>
  authorization === undefined ? target : digestWith(authorization, target);

function replyOf({ body, headers }: Prepared, ifNoneMatch: string | undefined): Reply {
  if (ifNoneMatch === undefined || !fresh({ "if-none-match": ifNoneMatch }, { etag: headers["ETag"] })) {
    const encoding = headers["Content-Length"] === `${body.length}` ? "latin1" : "utf8";
    return { status: 200, headers, body, encoding };
  }
  const { "Content-Type": _, "Content-Length": __, ...others } = headers;
  return { status: 304, headers: others, body: null, encoding: "utf8" };
}

/** What an answer says of itself that is stale or incomplete (RFC 9211, RFC 9111); a fresh one says nothing. */
function freshness(
  { missing, provenance }: Features,
  now: Instant,
): [kind: "fresh" | "stale" | "incomplete", marks: Headers] {
  const ageMs = now - provenance.asOf(now);
  const stale = ageMs > freshnessBoundMs;
  const incomplete = missing.length > 0 ? `incomplete: ${missing.join(" ")}` : "";
  if (stale) {
    const seconds = Math.ceil(ageMs / 1_000);
    const detail = ["stale", ...(incomplete ? [incomplete] : [])].join("; ");
    return ["stale", { "Cache-Status": `tidegate; hit; ttl=-${seconds}; detail="${detail}"`, Age: `${seconds}` }];
  }
  return incomplete ? ["incomplete", { "Cache-Status": `tidegate; fwd=miss; detail="${incomplete}"` }] : ["fresh", {}];
}
