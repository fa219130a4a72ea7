import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { notFound } from "../problems/http-problem.ts";
import { problemResponses } from "../problems/problem-responses.ts";
import { problemTypes } from "../problems/problem-types.ts";
import { securityHeaders } from "../response-headers.ts";

const page = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Tidegate API</title>
  <link rel="stylesheet" href="docs/swagger-ui.css">
  <link rel="icon" href="docs/favicon-32x32.png">
</head>
<body>
  <div id="api"></div>
  <script src="docs/swagger-ui-bundle.js"></script>
  <script src="docs/page.js"></script>
</body>
</html>
`;

const script = `SwaggerUIBundle({ url: "openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null });\n`;

/** Assets of the page, all served locally: no other host receives a request. */
const assets: Readonly<Record<string, { type: string; content: () => string | Promise<Uint8Array> }>> = {
  "page.js": { type: "text/javascript; charset=utf-8", content: () => script },
  "swagger-ui-bundle.js": fromPackage("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
  "swagger-ui.css": fromPackage("swagger-ui.css", "text/css; charset=utf-8"),
  "favicon-32x32.png": fromPackage("favicon-32x32.png", "image/png"),
};

const pageHeaders = {
  ...securityHeaders,
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

const document = createRoute({
  method: "get",
  path: "/openapi.json",
  summary: "Get the OpenAPI 3.1 document",
  tags: ["Documentation"],
  responses: { 200: { description: "The document." } },
});

const docs = createRoute({
  method: "get",
  path: "/docs",
  summary: "Show the API documentation",
  tags: ["Documentation"],
  responses: { 200: { description: "The page.", content: { "text/html": { schema: z.string() } } } },
});

const asset = createRoute({
  method: "get",
  path: "/docs/{asset}",
  summary: "Get an asset of the documentation page",
  tags: ["Documentation"],
  parameters: [{ name: "asset", in: "path", required: true, schema: { type: "string", enum: Object.keys(assets) } }],
  responses: { 200: { description: "The asset." }, ...problemResponses("not-found") },
});

const problem = createRoute({
  method: "get",
  path: "/problems/{code}",
  summary: "Describe a problem type",
  tags: ["Documentation"],
  parameters: [
    { name: "code", in: "path", required: true, schema: { type: "string", enum: Object.keys(problemTypes) } },
  ],
  responses: {
    200: {
      description: "The cause, and what to do.",
      content: {
        "application/json": {
          schema: z.object({
            code: z.string(),
            status: z.int(),
            title: z.string(),
            meaning: z.string(),
            retryAfter: z.int().optional().describe("Seconds until a retry. Absent if a retry cannot help."),
          }),
        },
      },
    },
    ...problemResponses("not-found"),
  },
});

const http = (scheme: string, description?: string) => ({
  type: "http" as const,
  scheme,
  ...(description && { description }),
});

const securitySchemes = {
  bearer: http("bearer"),
  apiKey: { type: "apiKey" as const, in: "header" as const, name: "X-API-Key" },
  basic: http("basic", "The token is the password; the user name is ignored."),
  admin: http(
    "bearer",
    "For operators: a credential of the required scope or a wider one. `recorder` posts events, `evaluator` and `frontend` evaluate, `viewer` reads, `editor` also changes features and posts events, `admin` has all rights. `TIDEGATE_ADMIN_TOKEN` has the scope `admin`.",
  ),
  adminAsPassword: http("basic", "For operators: the credential is the password; the user name is ignored."),
  session: {
    type: "apiKey" as const,
    in: "cookie" as const,
    name: "tidegate_session",
    description:
      "For operators in a browser: the cookie of `POST /admin/v1/session`; over TLS its name is `__Host-tidegate`.",
  },
};

/** `GET /openapi.json`, `/docs` and `/problems/{code}`: the API documentation. */
export function documentationRoutes(app: OpenAPIHono, version: string, basePath: string): void {
  for (const [name, scheme] of Object.entries(securitySchemes)) {
    app.openAPIRegistry.registerComponent("securitySchemes", name, scheme);
  }
  app.openapi(document, () => {
    const description = app.getOpenAPI31Document({
      openapi: "3.1.0",
      info: {
        title: "Tidegate",
        version,
        description: "Evaluates and manages feature flags.",
        license: { name: "MIT", url: "https://opensource.org/license/mit" },
      },
      servers: [{ url: basePath || "/" }],
      // Routes that name no scheme are public.
      security: [],
    });
    nameOperations(description.paths ?? {});
    return new Response(JSON.stringify(description), {
      headers: { ...securityHeaders, "Content-Type": "application/json", "Cache-Control": "no-cache" },
    });
  });
  app.openapi(docs, (c) => c.html(page, 200, pageHeaders));
  app.openapi(asset, async (c) => {
    const found = own(assets, c.req.param("asset"));
    if (!found) throw notFound();
    const headers = { ...securityHeaders, "Content-Type": found.type, "Cache-Control": "public, max-age=3600" };
    return new Response(await found.content(), { headers });
  });
  app.openapi(problem, (c) => {
    const code = c.req.param("code");
    const found = own(problemTypes, code);
    if (!found) throw notFound();
    return c.json({ code, ...found }, 200, securityHeaders);
  });
}

/**
 * Gives each operation an id, from which generated clients take their names: `GET /admin/v1/features/{feature}` is
 * `getAdminFeaturesByFeature`.
 */
function nameOperations(paths: Readonly<Record<string, object>>): void {
  for (const [path, methods] of Object.entries(paths)) {
    const words =
      path
        .replace("/v1/", "/")
        .replace(/\/$/, "/slash")
        .replaceAll("/{", "/by-")
        .match(/[A-Za-z0-9]+/g) ?? [];
    const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
    for (const [method, operation] of Object.entries(methods)) Object.assign(operation, { operationId: method + name });
  }
}

function fromPackage(file: string, type: string) {
  return { type, content: () => readFile(fileURLToPath(import.meta.resolve(`#swagger-ui/${file}`))) };
}

const own = <Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;
