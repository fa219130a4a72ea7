import { hash } from "node:crypto";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { IdentifyOperator } from "../../../application/admin/identify-operator.ts";
import type { EvaluatedFlags, EvaluateFlags } from "../../../application/evaluation/evaluate-flags.ts";
import type { Watchable } from "../../../application/streams/watch-evaluations.ts";
import { allows } from "../../../domain/admin/credential.ts";
import { TidegateError, TokenRejected } from "../../../domain/errors.ts";
import type { CachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { CallContext } from "../client/call-context.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { incomingOf } from "../server/incoming.ts";
import { type AdvertisedStreams, callerOf, ofrepStreamPath } from "../streams/advertised-streams.ts";
import type { ClientStreams } from "../streams/client-streams.ts";
import { flagJson } from "./flags-json.ts";
import { OfrepError } from "./ofrep-schemas.ts";

const refetch = Buffer.from('data: {"type":"refetchEvaluation"}\n\n');

const route = createRoute({
  method: "get",
  path: ofrepStreamPath,
  summary: "Changes of all flags, as Server-Sent Events",
  description:
    "An event stream of OpenFeature Remote Evaluation Protocol 0.3.0. Its URL is in `eventStreams` of a response of all flags. Each event says that the flags have changed, and not how: evaluate them again. The first event of each connection does so too, because changes may have been missed before. The stream ends when the token or the credential is revoked by which its URL was received.",
  tags: ["OpenFeature"],
  security: [],
  request: {
    query: z.object({
      channel: z
        .string()
        .optional()
        .openapi({ description: "From `eventStreams`. Valid until 35 days after its month." }),
    }),
  },
  responses: {
    200: {
      description: "The stream.",
      content: {
        "text/event-stream": { schema: z.string(), example: 'data: {"type":"refetchEvaluation"}\n\n' },
      },
    },
    ...Object.fromEntries(
      [401, 404, 429, 503].map((status) => [
        status,
        { description: "An error.", content: { "application/json": { schema: OfrepError } } },
      ]),
    ),
  },
});

/** `GET /ofrep/v1/stream`: notifies an OpenFeature client of changes. Without `advertised`, no channel is known. */
export function ofrepStreamRoutes(
  app: OpenAPIHono,
  evaluateFlags: EvaluateFlags,
  operators: IdentifyOperator,
  callContext: CallContext,
  streams: ClientStreams,
  advertised: AdvertisedStreams | undefined,
): void {
  app.openAPIRegistry.registerPath(route);
  app.get(ofrepStreamPath, async (c): Promise<Response> => {
    const channels = c.req.queries("channel") ?? [];
    const context = channels.length === 1 && (await advertised?.contextOf(channels[0] as string));
    if (!context) throw new HttpProblem("unknown-channel", "Open the URL in eventStreams of a response as it is.");
    const again = () => evaluateFlags.evaluateAgain(context).then(watchable);
    const evaluate = context.credential === undefined ? again : underCredential(operators, context.credential, again);
    return streams.respond<Watchable>(c, {
      kind: "ofrep",
      client: { caller: callerOf(context), address: callContext.addressOf(incomingOf(c)) },
      first: refetch,
      evaluate,
      last: await ifAvailable(evaluate),
      frameOf: () => refetch,
    });
  });
}

const watchable = ({ flags, changesAt, freshness }: EvaluatedFlags): Watchable => ({
  digest: hash("sha256", JSON.stringify(flags.map(flagJson)), "base64"),
  changesAt,
  freshness,
});

/** How long a credential counts as valid without another check, in milliseconds. Streams are checked each second. */
const checkedForMs = 900;

/** Evaluates while a credential is valid. Evaluates again only if the evaluation has changed, but checks each time. */
function underCredential(
  operators: IdentifyOperator,
  digest: string,
  evaluate: () => Promise<Watchable>,
): () => Promise<Watchable> {
  let last: Watchable | undefined;
  return async () => {
    const credential = await operators.credentialOf(digest);
    if (!credential || !allows(credential.scope, "evaluator")) throw new TokenRejected();
    const checkedAt = performance.now();
    const check: CachedRead<unknown> = {
      value: undefined,
      lastError: undefined,
      validUntil: Number.POSITIVE_INFINITY,
      isCurrent: () => performance.now() - checkedAt < checkedForMs,
      verifiedAt: (at) => at,
    };
    if (!last?.freshness.isCurrent(Date.now())) last = await evaluate();
    return { ...last, freshness: last.freshness.with([check]) };
  };
}

/**
 * A stream begins also while a store is unavailable: refused clients would try again at once. Rejects with
 * `TokenRejected` if the token or credential was revoked.
 */
async function ifAvailable<T>(evaluate: () => Promise<T>): Promise<T | undefined> {
  try {
    return await evaluate();
  } catch (error) {
    if (error instanceof TidegateError && !(error instanceof TokenRejected)) return undefined;
    throw error;
  }
}
