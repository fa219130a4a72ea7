import type { OpenAPIHono } from "@hono/zod-openapi";
import fresh from "fresh";
import Negotiator from "negotiator";
import { HttpProblem, notFound } from "../problems/http-problem.ts";
import { securityHeaders } from "../response-headers.ts";
import { type BuiltPage, type Coding, indexPath, type PageFile } from "./built-page.ts";

const root = "/backoffice";

/** Nothing outside the origin, no inline script or style, no frame. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Codings in order of preference. */
const preferred: readonly Coding[] = ["br", "gzip", "identity"];

/**
 * `GET /backoffice/`: the page for operators, a single-page application. Paths of its pages return its index; a missing
 * asset returns 404. Files are public: they contain no data, and the page reads all of it from the admin API.
 */
export function backofficeRoutes(app: OpenAPIHono, page: BuiltPage, basePath: string): void {
  app.get(root, (c) => c.redirect(`${basePath}${root}/`, 308));
  app.get(`${root}/*`, async (c) => {
    const files = await page.files();
    if (files.size === 0) {
      throw new HttpProblem("not-found", "The backoffice page is not built. Run make backoffice, then reload.");
    }
    const path = c.req.path.slice(root.length + 1);
    const file = files.get(path) ?? (path.startsWith("assets/") ? undefined : files.get(indexPath));
    if (!file) throw notFound();
    return respond(file, c.req.raw.headers);
  });
}

function respond(file: PageFile, requested: Headers): Response {
  const coding = codingFor(file, requested.get("accept-encoding"));
  const content = file.contents.get(coding);
  if (!content) throw notFound();
  const headers: Record<string, string> = {
    ...securityHeaders,
    "Cache-Control": file.isImmutable ? "public, max-age=31536000, immutable" : "no-cache",
    // Each coding is a representation of its own, so its tag must differ.
    ETag: `"${file.etag}${coding === "identity" ? "" : `-${coding}`}"`,
    Vary: "Accept-Encoding",
    ...(file.type.startsWith("text/html") && {
      "Content-Security-Policy": contentSecurityPolicy,
      "Cross-Origin-Opener-Policy": "same-origin",
      "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }),
  };
  const condition = requested.get("if-none-match");
  if (condition !== null && fresh({ "if-none-match": condition }, { etag: headers["ETag"] }))
    return new Response(null, { status: 304, headers });
  return new Response(Buffer.from(content), {
    headers: {
      ...headers,
      "Content-Type": file.type,
      "Content-Length": String(content.byteLength),
      ...(coding !== "identity" && { "Content-Encoding": coding }),
    },
  });
}

/** The best coding that the client accepts. Without the header, only `identity` is sure to be understood. */
function codingFor({ contents }: PageFile, accepted: string | null): Coding {
  const accepting = new Negotiator({ headers: { "accept-encoding": accepted ?? "identity" } });
  const acceptable = accepting.encodings([...contents.keys()]);
  return preferred.find((coding) => acceptable.includes(coding)) ?? "identity";
}
