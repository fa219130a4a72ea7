import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { InferResponseType } from "hono/client";
import { bodyOf, v1 } from "../api/client.ts";
import { pathSegment } from "../api/path-segment.ts";
import { type PersonContext, requestOf } from "./person-context.ts";

const summaryRoute = v1.explain.summary.$post;

export type Explanation = InferResponseType<typeof v1.explain.$post, 200>;
export type ExplainedFeature = Explanation["features"][number];
export type ExplainedSource = Explanation["sources"][number];
export type Result = ExplainedFeature["results"][number];

export type SummaryPage = InferResponseType<typeof summaryRoute, 200>;
/** A feature with its state and the reason in one sentence. */
export type SummarizedFeature = SummaryPage["features"][number];
/** The states by which features are listed. */
export const personStates = ["on", "off", "undetermined"] as const;
export type PersonState = (typeof personStates)[number];

export type Comparison = InferResponseType<typeof v1.compare.$post, 200>;

const pageSize = "200";
const stateParameter = { on: "true", off: "false", undetermined: "undetermined" } as const;

/** The features of a state for a context, in pages, with the counts of all states. */
export const featuresFor = (context: PersonContext, state: PersonState, search: string) =>
  infiniteQueryOptions({
    queryKey: ["person", context.user ?? null, "features", context, state, search],
    queryFn: ({ pageParam }) =>
      bodyOf(
        summaryRoute({
          query: {
            on: stateParameter[state],
            limit: pageSize,
            ...(search && { search }),
            ...(pageParam && { cursor: pageParam }),
          },
          json: requestOf(context),
        }),
      ),
    initialPageParam: "",
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
  });

/** Why one feature is on or off for a context. */
export const explanationOf = (context: PersonContext, feature: string) =>
  queryOptions({
    queryKey: ["person", context.user ?? null, "explanation", context, feature],
    queryFn: () => bodyOf(v1.explain.$post({ json: { ...requestOf(context), features: [feature] } })),
    // That of the moment before, while a handle of the time strip moves.
    placeholderData: (before) => (before?.features[0]?.feature === feature ? before : undefined),
  });

/** What differs between two contexts, and the changes that made the difference. */
export const comparisonOf = (a: PersonContext, b: PersonContext) =>
  queryOptions({
    queryKey: ["person", a.user ?? null, "comparison", a, b],
    queryFn: () => bodyOf(v1.compare.$post({ json: { a: requestOf(a), b: requestOf(b) } })),
    placeholderData: keepPreviousData,
  });

/** The own sets of a user, and the ids of their tokens. */
export const userOf = (id: string) =>
  queryOptions({
    queryKey: ["person", id, "user"],
    queryFn: () => bodyOf(v1.users[":userId"].$get({ param: { userId: pathSegment(id) }, query: {} })),
  });
