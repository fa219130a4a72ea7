import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { bodyOf, v1 } from "../api/client.ts";
import { type PersonContext, requestOf } from "./person-context.ts";

export type Explanation = InferResponseType<typeof v1.explain.$post, 200>;
export type ExplainedFeature = Explanation["features"][number];
export type ExplainedSource = Explanation["sources"][number];
export type Result = ExplainedFeature["results"][number];

/** Why each known feature is on or off for a context. */
export const explanationOf = (context: PersonContext) =>
  queryOptions({
    queryKey: ["person", context.user ?? null, "explanation", context],
    queryFn: () => bodyOf(v1.explain.$post({ json: requestOf(context) })),
    placeholderData: keepPreviousData,
  });

/** The own sets of a user, and the ids of their tokens. */
export const userOf = (id: string) =>
  queryOptions({
    queryKey: ["person", id, "user"],
    queryFn: () => bodyOf(v1.users[":userId"].$get({ param: { userId: encodeURIComponent(id) }, query: {} })),
  });
