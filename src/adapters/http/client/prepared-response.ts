import fresh from "fresh";
import type { EvaluatedFeatures } from "../../../application/evaluation/evaluate-features.ts";
import type { Freshness } from "../../../application/evaluation/freshness.ts";
import type { CountUsage, Stated, Tally } from "../../../application/usage/count-usage.ts";
import { type Instant, instantText } from "../../../domain/evaluation/evaluation-context.ts";
import type { HttpCounters } from "../operations/http-counters.ts";
import { securityHeaders } from "../response-headers.ts";
import { rawStaleMarks, staleMarks } from "./stale-marks.ts";

/** Raw headers: names and values alternate. Node writes them as they are, and would look up those of an object. */
export type RawHeaders = readonly string[];

/** A serialized body, with its length in bytes and its ETag. */
export type WrittenBody = {
  readonly body: string;
  readonly length: string;
  readonly entityTag: string;
  /** `latin1` if that equals UTF-8, because Node writes it faster. */
  readonly encoding: "utf8" | "latin1";
  /** The body as an event of a stream, once there was one. */
  frame: Buffer | undefined;
};

/** A response to any request with one cache key, with the freshness of its evaluation. */
export type PreparedResponse = {
  readonly written: WrittenBody;
  readonly vary: string;
  readonly changesAt: Instant | undefined;
  readonly freshness: Freshness;
  /** The marks of the evaluation from which the response was made. */
  readonly marks: RawHeaders;
  /** Whether the body states its freshness, and whether it states that it is stale. */
  readonly bodyMark: "none" | "fresh" | "stale";
  /** The tally of its body, if the response is worth caching. */
  readonly tally: Tally | undefined;
  isUsed: boolean;
};

/** A response to send. */
export type ClientResponse = {
  readonly status: 200 | 304;
  readonly headers: RawHeaders;
  readonly body: string | null;
  readonly encoding: WrittenBody["encoding"];
};

type Evaluated = Pick<EvaluatedFeatures, "missing" | "changesAt" | "freshness">;

/** Prepares responses with the headers that mark stale and incomplete ones, and counts each kind and what it states. */
export class PrepareResponse {
  readonly #vary: () => string;
  readonly #now: () => Instant;
  readonly #evaluations: HttpCounters["evaluations"];
  readonly #usage: CountUsage;

  /** `vary` returns the `Vary` header. */
  constructor(vary: () => string, now: () => Instant, counters: HttpCounters, usage: CountUsage) {
    this.#vary = vary;
    this.#now = now;
    this.#evaluations = counters.evaluations;
    this.#usage = usage;
  }

  /**
   * The response with a body that was written from an evaluation. `stated` returns what the body states.
   * `isMarkedInBody`: whether a stale body differs from a fresh one.
   */
  prepare(written: WrittenBody, evaluated: Evaluated, stated: () => Stated, isMarkedInBody = false): PreparedResponse {
    const now = this.#now();
    const [result, marks] = marksOf(evaluated, now);
    this.#evaluations[result] += 1;
    const { changesAt, freshness } = evaluated;
    const tally = freshness.isCacheable(now) ? this.#usage.tallyOf(written.entityTag, stated) : undefined;
    if (tally) this.#usage.count(tally);
    else this.#usage.countOnce(stated());
    const bodyMark = isMarkedInBody ? (result === "stale" ? "stale" : "fresh") : "none";
    return { written, vary: this.#vary(), changesAt, freshness, marks, bodyMark, tally, isUsed: false };
  }
}

/** The response to a request: 304 if its `If-None-Match` lists the ETag. */
export function responseOf(
  { written, vary, changesAt, marks: ownMarks }: Pick<PreparedResponse, "written" | "vary" | "changesAt" | "marks">,
  ifNoneMatch: string | undefined,
  marks: RawHeaders = ownMarks,
): ClientResponse {
  const { body, length, entityTag, encoding } = written;
  const isKnown =
    ifNoneMatch !== undefined &&
    (ifNoneMatch === entityTag || fresh({ "if-none-match": ifNoneMatch }, { etag: entityTag }));
  // Literals, so that V8 copies them in one step for each response. An array for each cached one would take more
  // memory.
  const headers = isKnown
    ? [
        "X-Content-Type-Options",
        securityHeaders["X-Content-Type-Options"],
        "Referrer-Policy",
        securityHeaders["Referrer-Policy"],
        "Cache-Control",
        "private, no-cache",
        "Vary",
        vary,
        "ETag",
        entityTag,
      ]
    : [
        "Content-Type",
        "application/json",
        "X-Content-Type-Options",
        securityHeaders["X-Content-Type-Options"],
        "Referrer-Policy",
        securityHeaders["Referrer-Policy"],
        "Cache-Control",
        "private, no-cache",
        "Vary",
        vary,
        "Content-Length",
        length,
        "ETag",
        entityTag,
      ];
  if (changesAt !== undefined) headers.push("Next-Change-At", instantText(changesAt));
  if (marks.length > 0) headers.push(...marks);
  return isKnown ? { status: 304, headers, body: null, encoding } : { status: 200, headers, body, encoding };
}

/** The same for a route of Hono. */
export const fetchResponse = ({ status, headers, body }: ClientResponse): Response =>
  new Response(body, { status, headers: recordOf(headers) });

function recordOf(headers: RawHeaders): Record<string, string> {
  const record: Record<string, string> = {};
  for (let index = 0; index < headers.length; index += 2) record[headers[index] ?? ""] = headers[index + 1] ?? "";
  return record;
}

const incompleteDetail = (missing: readonly string[]): string => `incomplete: ${missing.join(" ")}`;

/** `Cache-Status` of a response that lacks results of sources. */
export const incompleteStatus = (missing: readonly string[]): string =>
  `tidegate; fwd=miss; detail="${incompleteDetail(missing)}"`;

/** Of a fresh and complete response. */
export const unmarked: RawHeaders = [];

/**
 * Classifies an evaluation, with the headers that mark it as stale or incomplete (RFC 9211, RFC 9111). A fresh one has
 * no marks.
 */
function marksOf(
  { missing, freshness }: Evaluated,
  now: Instant,
): [result: "fresh" | "stale" | "partial", marks: RawHeaders] {
  const isIncomplete = missing.length > 0;
  if (freshness.isStale(now)) {
    const ageMs = now - freshness.verifiedAt(now);
    if (!isIncomplete) return ["stale", rawStaleMarks(ageMs)];
    return ["stale", Object.entries(staleMarks(ageMs, incompleteDetail(missing))).flat()];
  }
  return isIncomplete ? ["partial", ["Cache-Status", incompleteStatus(missing)]] : ["fresh", unmarked];
}
