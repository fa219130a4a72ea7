import { randomUUID } from "node:crypto";
import type { EvaluatedFeatures, EvaluateFeatures } from "../../../application/evaluation/evaluate-features.ts";
import type { RequestContext } from "../../../application/evaluation/identify-caller.ts";
import type { CallContext } from "./call-context.ts";
import { featuresBody } from "./features-body.ts";
import { type ClientResponse, type PreparedResponse, type PrepareResponse, responseOf } from "./prepared-response.ts";
import type { ResponseCache } from "./response-cache.ts";

/** Responses to `GET /features` for the present: from the response cache, or from an evaluation. */
export class FeaturesResponses {
  readonly #evaluateFeatures: EvaluateFeatures;
  readonly #cache: ResponseCache;
  readonly #prepare: PrepareResponse;
  readonly #callContext: CallContext;

  constructor(
    evaluateFeatures: EvaluateFeatures,
    cache: ResponseCache,
    prepare: PrepareResponse,
    callContext: CallContext,
  ) {
    this.#evaluateFeatures = evaluateFeatures;
    this.#cache = cache;
    this.#prepare = prepare;
    this.#callContext = callContext;
  }

  /** The cached response for a key; `undefined` if there is no current one. */
  find(key: string, ifNoneMatch: string | undefined): ClientResponse | undefined {
    return this.#cache.find(key, ifNoneMatch);
  }

  /** Evaluates, and caches the response for the key. Rejects as `EvaluateFeatures` does. */
  async evaluate(
    key: string,
    token: string | undefined,
    ifNoneMatch: string | undefined,
    context: RequestContext,
  ): Promise<ClientResponse> {
    if (token === undefined && context.clientId === undefined && this.#callContext.issuesIds) {
      return this.#evaluateNew(ifNoneMatch, context);
    }
    const evaluated = await this.#evaluateFeatures.evaluate(token === undefined ? undefined : { token }, context);
    const prepared = this.#prepared(evaluated);
    this.#cache.keep(key, prepared);
    return responseOf(prepared, ifNoneMatch);
  }

  /** Issues a client id and evaluates with it. Not cached, because the client cannot repeat this request. */
  async #evaluateNew(ifNoneMatch: string | undefined, context: RequestContext): Promise<ClientResponse> {
    const clientId = randomUUID();
    const evaluated = await this.#evaluateFeatures.evaluate(undefined, { ...context, clientId });
    const response = responseOf(this.#prepared(evaluated), ifNoneMatch);
    return {
      ...response,
      headers: [...response.headers, ...Object.entries(this.#callContext.issued(clientId)).flat()],
    };
  }

  #prepared(evaluated: EvaluatedFeatures): PreparedResponse {
    const { features } = evaluated;
    const stated = () => ({ flags: Array.from(features.keys(), (key) => ({ key, on: true })), omitsOff: true });
    return this.#prepare.prepare(featuresBody(features), evaluated, stated);
  }
}
