import { type ClientResponse, hc } from "hono/client";
import type { Api } from "../../../src/adapters/http/api.ts";
import { servicePath } from "../routing/location.ts";
import { Problem, problemOf } from "./problem.ts";

/**
 * The API for operators of this origin, called with the session cookie. Paths, queries, bodies and responses have the types of
 * the routes, so that a change of the API breaks the build and not the page. The client does not encode path
 * parameters: pass each through `pathSegment`.
 */
export const {
  admin: { v1 },
  events,
} = hc<Api>(`${location.origin}${servicePath}`, { init: { credentials: "same-origin" } });

let sessionEnded: () => void = () => {};

/** Calls `listener` whenever a request is refused because the session has ended. */
export function onSessionEnd(listener: () => void): void {
  sessionEnded = listener;
}

type Success<Response> =
  Response extends ClientResponse<infer Body, infer Status, string> ? (Status extends 200 | 201 ? Body : never) : never;

/** The body of a successful response. Throws `Problem` for every other outcome. */
export async function bodyOf<Response extends ClientResponse<unknown>>(
  call: Promise<Response>,
): Promise<Success<Response>> {
  return (await taggedBodyOf(call)).body;
}

/** As `bodyOf`, with the entity tag of the body. `If-Match` takes it. */
export async function taggedBodyOf<Response extends ClientResponse<unknown>>(
  call: Promise<Response>,
): Promise<{ readonly body: Success<Response>; readonly tag: string }> {
  const response = await call.catch(() => {
    throw new Problem(0);
  });
  if (!response.ok) {
    // The session itself tells whether there is one, and refuses a credential.
    if (response.status === 401 && !response.url.endsWith("/session")) sessionEnded();
    throw await problemOf(response);
  }
  // A proxy that compresses responses makes their tags weak.
  const tag = response.headers.get("etag")?.replace("W/", "") ?? "";
  return { body: (await response.json()) as Success<Response>, tag };
}
