import type { Context } from "hono";
import { HttpProblem } from "../problems/http-problem.ts";

/** `GET /`: redirects browsers to the page for operators, if it is served. Returns others 404 with the paths to use. */
export function root(c: Context, basePath: string, hasBackoffice: boolean): Response {
  if (hasBackoffice && c.req.header("accept")?.includes("text/html")) return c.redirect(`${basePath}/backoffice/`, 302);
  const page = hasBackoffice ? ", and /backoffice/ is the page for operators" : "";
  throw new HttpProblem(
    "not-found",
    `Nothing is at the root. GET /features evaluates features, /docs lists all routes${page}.`,
  );
}
