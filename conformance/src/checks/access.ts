import { type Check, expectThat, NotApplicable } from "../check.ts";
import type { Server } from "../server.ts";

const cors = "Fetch standard, CORS protocol; needed by web pages of another origin";

function tokenOf({ options: { token } }: Server): string {
  if (token === undefined) throw new NotApplicable("needs --token");
  return token;
}

const bodyOf = ({ options: { context } }: Server): string => JSON.stringify({ context });

/** Checks of credentials and of access from other origins. */
export const accessChecks: readonly Check[] = [
  {
    id: "auth-unknown",
    level: "must",
    rule: "An unknown credential is 401 or 403.",
    source: "OFREP 0.3.0, responses 401 and 403",
    run: async (server) => {
      tokenOf(server);
      const { status } = await server.bulk(bodyOf(server), { Authorization: "Bearer ofrep-conformance-unknown" });
      expectThat(status === 401 || status === 403, `expected 401 or 403, got ${status}`);
    },
  },
  {
    id: "auth-api-key",
    level: "should",
    rule: "A credential may be sent as X-API-Key.",
    source: "OFREP 0.3.0, security scheme ApiKeyAuth",
    run: async (server) => {
      const apiKey = tokenOf(server);
      const { status } = await server.withoutCredential().bulk(bodyOf(server), { "X-API-Key": apiKey });
      expectThat(status === 200, `expected 200, got ${status}`);
      const another = { "X-API-Key": "ofrep-conformance-unknown" };
      const { status: refusal } = await server.withoutCredential().bulk(bodyOf(server), another);
      expectThat(refusal === 401 || refusal === 403, `expected 401 or 403 for an unknown one, got ${refusal}`);
    },
  },
  {
    id: "cors-preflight",
    level: "should",
    rule: "A preflight allows POST with Content-Type, Authorization, X-API-Key and If-None-Match.",
    source: cors,
    run: async (server) => {
      const { headers } = await server.withoutCredential().send(server.bulkPath, {
        method: "OPTIONS",
        headers: {
          Origin: server.options.origin,
          "Access-Control-Request-Method": "POST",
          "Access-Control-Request-Headers": "authorization,content-type,if-none-match,x-api-key",
        },
      });
      const origin = headers["access-control-allow-origin"];
      expectThat(origin === "*" || origin === server.options.origin, `${server.options.origin} is not allowed`);
      const allowed = `${headers["access-control-allow-headers"] ?? ""}`.toLowerCase().split(/ *, */);
      for (const name of ["content-type", "authorization", "x-api-key", "if-none-match"]) {
        expectThat(allowed.includes(name), `${name} is not in Access-Control-Allow-Headers`);
      }
    },
  },
  {
    id: "cors-expose",
    level: "should",
    rule: "A response to another origin exposes ETag and Retry-After.",
    source: cors,
    run: async (server) => {
      const { headers } = await server.bulk(bodyOf(server), { Origin: server.options.origin });
      const exposed = `${headers["access-control-expose-headers"] ?? ""}`.toLowerCase().split(/ *, */);
      for (const name of ["etag", "retry-after"]) {
        expectThat(exposed.includes(name), `${name} is not in Access-Control-Expose-Headers`);
      }
    },
  },
];
