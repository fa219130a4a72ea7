import { z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import type { Session, Sessions } from "../../../application/admin/sessions.ts";
import { scopes } from "../../../domain/admin/credential.ts";
import { ChangeRejected } from "../../../domain/errors.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import { instantJson } from "../../instant-json.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { problemResponses } from "../problems/problem-responses.ts";
import { uncached } from "../response-headers.ts";
import { checkedRoute } from "../routing/checked-route.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { rejectCrossOrigin } from "./cross-origin.ts";
import { bearerChallenge, operatorOf, requireScope } from "./operators.ts";
import { noSession, sessionCookie, sessionIn } from "./session-cookie.ts";

const SignIn = z
  .strictObject({
    credential: z.string().min(1).max(1_000).optional().describe("An operator credential."),
    link: z.string().min(1).max(1_000).optional().describe("The text after `#link=` of a sign-in link."),
  })
  .refine(({ credential, link }) => (credential === undefined) !== (link === undefined), {
    error: "needs exactly one of credential and link",
  })
  .openapi("SignIn", { example: { credential: "tgc_…" } });

const SessionBody = z
  .object({
    name: z.string().describe("The name of the credential. Changes are recorded under it."),
    scope: z.enum(scopes as [(typeof scopes)[number]]),
    email: z.string().nullable(),
    environment: z.string().describe("`events.environment` of the configuration."),
    expiresAt: z.iso.datetime().nullable().describe("Null for a credential in a header."),
  })
  .openapi("Session", {
    example: {
      name: "anna",
      scope: "editor",
      email: null,
      environment: "production",
      expiresAt: "2026-11-21T21:00:00.000Z",
    },
  });

const path = "/admin/v1/session";

/** Routes that anybody may call, but no page of another origin. */
const ownOrigin: MiddlewareHandler = async (c, next) => {
  rejectCrossOrigin(c);
  await next();
};

type SessionOptions = {
  readonly sessions: Sessions | undefined;
  /** The name of the environment. */
  readonly environment: string;
  readonly now: () => Instant;
};

/** `/admin/v1/session`: signs an operator in and out with a cookie. `sessions` is `undefined` without a store. */
export function sessionRoutes(routes: OperatorRoutes, { sessions, environment, now }: SessionOptions) {
  const sessionJson = ({
    credential: { name, scope, email },
    expiresAt,
  }: Omit<Session, "expiresAt"> & { expiresAt?: Instant }) => ({
    ...{ name, scope, email: email ?? null, environment },
    expiresAt: instantJson(expiresAt),
  });

  const signIn = checkedRoute(
    routes.app,
    {
      method: "post",
      path,
      summary: "Sign in",
      description:
        "Sets a cookie that all operator routes accept, with the scope of the credential: `__Host-tidegate` over TLS, otherwise `tidegate_session`. Requests that change something need the cookie and the origin of the page. The session ends when it expires, by `DELETE`, and when the credential is revoked.",
      tags: ["Admin"],
      middleware: ownOrigin,
      body: SignIn,
      responses: {
        201: jsonResponse("The session.", SessionBody),
        ...problemResponses(
          "unauthenticated",
          "invalid-query",
          "invalid-json",
          "unsupported-media-type",
          "payload-too-large",
          "validation-failed",
          "not-changeable",
        ),
      },
    },
    async (c, { body: { credential, link } }) => {
      if (!sessions) {
        const detail = "No store is configured for sessions. Declare one under `connections`.";
        throw new ChangeRejected(detail, "not-changeable");
      }
      const text = link === undefined ? await started(sessions, credential ?? "") : await sessions.startByLink(link);
      const session = text && (await sessions.find(text));
      if (!text || !session) throw refusedLink();
      const cookie = sessionCookie(c, text, Math.floor((session.expiresAt - now()) / 1_000));
      return c.json(sessionJson(session), 201, { ...uncached, "Set-Cookie": cookie });
    },
  );

  async function started(sessions: Sessions, secret: string): Promise<string> {
    const credential = requireScope(await routes.operators.identify(secret), "viewer");
    return sessions.start(secret, credential);
  }

  const view = routes.add(
    {
      method: "get",
      path,
      summary: "Get the session",
      description: "Also returns the name and the scope of a credential in a header.",
      tags: ["Admin"],
      scope: "viewer",
      responses: { 200: jsonResponse("The session.", SessionBody) },
    },
    (c) => sessionJson(operatorOf(c)),
  );

  const signOut = checkedRoute(
    routes.app,
    {
      method: "delete",
      path,
      summary: "Sign out",
      description: "Ends the session on all instances, and removes the cookie. Idempotent.",
      tags: ["Admin"],
      middleware: ownOrigin,
      responses: {
        204: { description: "The session is over." },
        ...problemResponses("cross-origin", "invalid-query", "source-unavailable"),
      },
    },
    async (c: Context) => {
      const session = sessionIn(c);
      if (session !== undefined) await sessions?.end(session);
      for (const cookie of noSession()) c.header("Set-Cookie", cookie, { append: true });
      return c.body(null, 204, uncached);
    },
  );

  return [signIn, view, signOut];
}

const refusedLink = (): HttpProblem =>
  new HttpProblem(
    "unauthenticated",
    "The sign-in link is unknown, used or expired. Sign in with an operator credential.",
    bearerChallenge,
  );
