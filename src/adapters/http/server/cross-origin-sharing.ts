import type { CallContext } from "../client/call-context.ts";
import type { RawHeaders } from "../client/prepared-response.ts";

const exposed = ["ETag", "Next-Change-At", "Retry-After", "X-Request-Id"];

/** CORS: which origins may read responses, and which headers of them. */
export class CrossOriginSharing {
  /** Origins, or `*` for all. */
  readonly origins: "*" | readonly string[];
  readonly #callContext: Pick<CallContext, "issuedIn">;

  constructor(origins: readonly string[], callContext: Pick<CallContext, "issuedIn">) {
    this.origins = origins.includes("*") ? "*" : origins;
    this.#callContext = callContext;
  }

  /** Response headers that pages may read. Sources can add some at any time. */
  get exposed(): readonly string[] {
    return [...exposed, ...this.#callContext.issuedIn];
  }

  /** The headers of a response to an origin, with those that Hono's middleware adds. */
  addTo(headers: RawHeaders, origin: string | undefined): RawHeaders {
    const shared = [...headers, "Access-Control-Expose-Headers", this.exposed.join(",")];
    if (this.origins === "*") {
      shared.push("Access-Control-Allow-Origin", "*");
      return shared;
    }
    const vary = shared.indexOf("Vary") + 1;
    if (vary > 0) shared[vary] += ", Origin";
    else shared.push("Vary", "Origin");
    if (origin !== undefined && this.origins.includes(origin)) shared.push("Access-Control-Allow-Origin", origin);
    return shared;
  }
}
