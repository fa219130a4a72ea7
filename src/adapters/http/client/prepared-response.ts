import fresh from "fresh";
import type { EvaluatedFeatures } from "../../../application/evaluation/evaluate-features.ts";
import type { Freshness } from "../../../application/evaluation/freshness.ts";
import { type Instant, instantText } from "../../../domain/evaluation/evaluation-context.ts";
import { securityHeaders } from "../kit/response-headers.ts";
import type { HttpCounters } from "../operations/http-counters.ts";
import { staleMarks } from "./stale-marks.ts";

type Headers = Readonly<Record<string, string>>;

/** A serialized body, with its length in bytes and its ETag. */
export type WrittenBody = { readonly body: string; readonly length: string; readonly entityTag: string };

/** A response to any request with one cache key, with the freshness of its evaluation. */
export type PreparedResponse = { readonly body: string; readonly headers: Headers; readonly freshness: Freshness };

/** A response to send. */
export type ClientResponse = {
  readonly status: 200 | 304;
  readonly headers: Headers;
  readonly body: string | null;
  /** Encoding of the body; `latin1` if that equals UTF-8, because Node writes it faster. */
  readonly encoding: "utf8" | "latin1";
};

type Evaluated = Pick<EvaluatedFeatures, "missing" | "changesAt" | "freshness">;

/** Prepares responses with the headers that mark stale and incomplete ones, and counts each kind. */
export class PrepareResponse {
  readonly #vary: () => string;
  readonly #now: () => Instant;
  readonly #evaluations: HttpCounters["evaluations"];

  /** `vary` returns the `Vary` header. */
  constructor(vary: () => string, now: () => Instant, counters: HttpCounters) {
    this.#vary = vary;
    this.#now = now;
    this.#evaluations = counters.evaluations;
  }

  /** The response with a body that was written from an evaluation. */
  prepare({ body, length, entityTag }: WrittenBody, evaluated: Evaluated): PreparedResponse {
    const [result, marks] = marksOf(evaluated, this.#now());
    this.#evaluations[result] += 1;
    const { changesAt, freshness } = evaluated;
    // One literal, so that V8 allocates the object with its final shape.
    const headers = {
      "Content-Type": "application/json",
      "X-Content-Type-Options": securityHeaders["X-Content-Type-Options"],
      "Referrer-Policy": securityHeaders["Referrer-Policy"],
      "Cache-Control": "private, no-cache",
      Vary: this.#vary(),
      "Content-Length": length,
      ETag: entityTag,
      ...(changesAt === undefined ? undefined : { "Next-Change-At": instantText(changesAt) }),
      ...marks,
    };
    return { body, headers, freshness };
  }
}

/** The response to a request: 304 if its `If-None-Match` lists the ETag. */
export function responseOf({ body, headers }: PreparedResponse, ifNoneMatch: string | undefined): ClientResponse {
  if (ifNoneMatch === undefined || !fresh({ "if-none-match": ifNoneMatch }, { etag: headers["ETag"] })) {
    const encoding = headers["Content-Length"] === `${body.length}` ? "latin1" : "utf8";
    return { status: 200, headers, body, encoding };
  }
  const { "Content-Type": _, "Content-Length": __, ...others } = headers;
  return { status: 304, headers: others, body: null, encoding: "utf8" };
}

/** The same for a route of Hono. */
export const fetchResponse = ({ status, headers, body }: ClientResponse): Response =>
  new Response(body, { status, headers });

const incompleteDetail = (missing: readonly string[]): string => `incomplete: ${missing.join(" ")}`;

/** `Cache-Status` of a response that lacks results of sources. */
export const incompleteStatus = (missing: readonly string[]): string =>
  `tidegate; fwd=miss; detail="${incompleteDetail(missing)}"`;

/**
 * Classifies an evaluation, with the headers that mark it as stale or incomplete (RFC 9211, RFC 9111). A fresh one has
 * no marks.
 */
function marksOf(
  { missing, freshness }: Evaluated,
  now: Instant,
): [result: "fresh" | "stale" | "partial", marks: Headers] {
  const incomplete = missing.length > 0 ? incompleteDetail(missing) : "";
  if (freshness.isStale(now)) return ["stale", staleMarks(now - freshness.verifiedAt(now), incomplete)];
  return incomplete ? ["partial", { "Cache-Status": incompleteStatus(missing) }] : ["fresh", {}];
}
