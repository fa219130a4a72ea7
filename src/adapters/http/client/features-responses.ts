import { randomUUID } from "node:crypto";
import type { EvaluatedFeatures, EvaluateFeatures } from "../../../application/evaluation/evaluate-features.ts";
import type { EvaluatedFlags, EvaluateFlags } from "../../../application/evaluation/evaluate-flags.ts";
import type { Caller, RequestContext } from "../../../application/evaluation/identify-caller.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import type { CallContext } from "./call-context.ts";
import { detailedBody, featuresBody } from "./features-body.ts";
import { type ClientResponse, type PreparedResponse, type PrepareResponse, responseOf } from "./prepared-response.ts";
import type { ResponseCache } from "./response-cache.ts";

/** Responses to `GET /features` for the present: from the response cache, or from an evaluation. */
export class FeaturesResponses {
  readonly #evaluateFeatures: EvaluateFeatures;
  readonly #evaluateFlags: EvaluateFlags;
  readonly #cache: ResponseCache;
  readonly #prepare: PrepareResponse;
  readonly #callContext: CallContext;

  constructor(
    evaluateFeatures: EvaluateFeatures,
    evaluateFlags: EvaluateFlags,
    cache: ResponseCache,
    prepare: PrepareResponse,
    callContext: CallContext,
  ) {
    this.#evaluateFeatures = evaluateFeatures;
    this.#evaluateFlags = evaluateFlags;
    this.#cache = cache;
    this.#prepare = prepare;
    this.#callContext = callContext;
  }

  /** The cached response for a key; `undefined` if there is no current one. */
  find(key: string, ifNoneMatch: string | undefined): ClientResponse | undefined {
    return this.#cache.find(key, ifNoneMatch);
  }

  /**
   * Evaluates, and caches the response for the key. `isDetailed`: with known features that are off, and the value of
   * each. Rejects as `EvaluateFeatures` and `EvaluateFlags` do.
   */
  async evaluate(
    key: string,
    token: string | undefined,
    ifNoneMatch: string | undefined,
    context: RequestContext,
    isDetailed: boolean,
    hasQuery: boolean,
  ): Promise<ClientResponse> {
    if (token === undefined && context.clientId === undefined && this.#callContext.issuesIds) {
      return this.#evaluateNew(ifNoneMatch, context, isDetailed);
    }
    const caller = token === undefined ? undefined : { token };
    const prepared = await this.#prepared(caller, context, isDetailed);
    // Without a query, a known client has one response.
    this.#cache.keep(key, prepared, token === undefined || hasQuery);
    return responseOf(prepared, ifNoneMatch);
  }

  /** Issues a client id and evaluates with it. Not cached, because the client cannot repeat this request. */
  async #evaluateNew(
    ifNoneMatch: string | undefined,
    context: RequestContext,
    isDetailed: boolean,
  ): Promise<ClientResponse> {
    const clientId = randomUUID();
    const response = responseOf(await this.#prepared(undefined, { ...context, clientId }, isDetailed), ifNoneMatch);
    return {
      ...response,
      headers: [...response.headers, ...Object.entries(this.#callContext.issued(clientId)).flat()],
    };
  }

  #prepared(caller: Caller, context: RequestContext, isDetailed: boolean): Promise<PreparedResponse> {
    return isDetailed
      ? this.#evaluateFlags.evaluateAll(caller, context).then((evaluated) => this.#detailed(evaluated))
      : this.#evaluateFeatures.evaluate(caller, context).then((evaluated) => this.#plain(evaluated));
  }

  #plain(evaluated: EvaluatedFeatures): PreparedResponse {
    return this.#prepare.prepare(featuresBody(evaluated), evaluated, () => ({ on: evaluated.features }));
  }

  #detailed(evaluated: EvaluatedFlags): PreparedResponse {
    const { flags } = evaluated;
    return this.#prepare.prepare(detailedBody(flags), evaluated, () => ({ flags, omitsOff: false }));
  }
}

/**
 * Whether a query asks for details. `query` returns all values of a parameter. Throws `HttpProblem` if it is invalid.
 */
export function isDetailed(query: (name: string) => readonly string[]): boolean {
  const [detail = "false", ...others] = query("detail");
  if (others.length === 0 && (detail === "true" || detail === "false")) return detail === "true";
  throw new HttpProblem("invalid-query", 'The query parameter "detail" is invalid (expected true or false, once).');
}
