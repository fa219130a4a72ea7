import { servicePath } from "../routing/location.ts";
import { Problem, problemOf } from "./problem.ts";

/** Values of a query string; `undefined` ones are left out. */
type QueryParameters = Readonly<Record<string, string | number | boolean | undefined>>;

export type RequestOptions = {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly query?: QueryParameters;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** A revision for `If-Match`. */
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
};

/** A path of the API, such as `path("admin", "v1", "killed", key)`. Segments are percent-encoded. */
export const path = (...segments: readonly string[]): string => segments.map(encodeURIComponent).join("/");

/**
 * Calls the API of this origin with the session cookie, and returns the body of the response. Throws `Problem` for every
 * other outcome.
 */
export async function request<Body>(
  to: string,
  { method = "GET", query = {}, body, ifMatch, signal }: RequestOptions = {},
): Promise<Body> {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  const response = await fetch(`${servicePath}${to}${parameters.size > 0 ? `?${parameters}` : ""}`, {
    method,
    credentials: "same-origin",
    headers: {
      Accept: "application/json",
      ...(body !== undefined && { "Content-Type": "application/json" }),
      ...(ifMatch !== undefined && { "If-Match": `"${ifMatch}"` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  }).catch((cause: unknown) => {
    if (signal?.aborted) throw cause;
    throw new Problem(0);
  });
  if (!response.ok) throw await problemOf(response);
  return (response.status === 204 ? undefined : await response.json()) as Body;
}
