import {
  type InfiniteData,
  infiniteQueryOptions,
  keepPreviousData,
  type QueryClient,
  queryOptions,
} from "@tanstack/react-query";
import { bodyOf, v1 } from "../api/client.ts";
import { pathSegment } from "../api/path-segment.ts";
import { hasStatus } from "../api/problem.ts";
import type { FeatureFilters } from "./filters.ts";

const readPage = (filters: FeatureFilters, limit: number, cursor?: string) => {
  const { search, state, owner, tag, source, unusedFor, sort } = filters;
  return bodyOf(
    v1.features.$get({
      query: {
        limit: String(limit),
        ...(sort && { sort }),
        ...(search && { search }),
        ...(state && { state }),
        ...(owner && { owner }),
        ...(tag && { tag }),
        ...(source && { source }),
        ...(unusedFor && { unusedFor }),
        ...(cursor !== undefined && { cursor }),
      },
    }),
  );
};

/** A page of the list, as the API returns it. */
export type FeaturePage = Awaited<ReturnType<typeof readPage>>;
/** A feature with its state, and where each source has it. */
export type Feature = FeaturePage["features"][number];

/** The first page is small, so that it is quick; the next ones are as large as they can be. */
const firstLimit = 100;
const nextLimit = 1_000;

/** The features that match. Their order is fixed when they are read: live changes update them in place. */
export const featureList = (filters: FeatureFilters) =>
  infiniteQueryOptions({
    queryKey: ["features", "list", filters],
    queryFn: ({ pageParam }) => readPage(filters, pageParam === "" ? firstLimit : nextLimit, pageParam || undefined),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  });

/** Counts by state, and the state of the sources. Read again after each change, unlike the list. */
export const featureSummary = (filters: FeatureFilters) =>
  queryOptions({
    queryKey: ["feature-summary", { ...filters, sort: "key" }],
    queryFn: () => readPage({ ...filters, sort: "key" }, 1),
    placeholderData: keepPreviousData,
  });

/** The number of features that exist, with no filter. */
export const featureCount = queryOptions({
  queryKey: ["feature-count"],
  queryFn: async () => (await readPage({ sort: "key" }, 1)).known,
});

/** Owners and tags that features have, with their counts. */
export const featureFacets = queryOptions({
  queryKey: ["facets"],
  queryFn: () => bodyOf(v1.features.facets.$get()),
});

/** One feature. */
export const featureQuery = (key: string) =>
  queryOptions({
    queryKey: ["feature", key],
    queryFn: () => bodyOf(v1.features[":feature"].$get({ param: { feature: pathSegment(key) } })),
  });

/** A feature with the part of each source in its state. */
export type ViewedFeature = Awaited<ReturnType<NonNullable<ReturnType<typeof featureQuery>["queryFn"]>>>;

type Pages = InfiniteData<FeaturePage, string>;

/** Changes one feature in all lists that have it, in its place. */
export function patchFeature(client: QueryClient, key: string, change: (feature: Feature) => Feature): void {
  client.setQueriesData<Pages>({ queryKey: ["features", "list"] }, (data) => {
    if (!data?.pages.some(({ features }) => features.some(({ feature }) => feature === key))) return data;
    const changed = (feature: Feature) => (feature.feature === key ? change(feature) : feature);
    return { ...data, pages: data.pages.map((page) => ({ ...page, features: page.features.map(changed) })) };
  });
}

/** Reads one feature again, and shows it wherever it is. A feature that is gone stays until the list is read again. */
export async function refreshFeature(client: QueryClient, key: string): Promise<ViewedFeature | undefined> {
  try {
    const query = featureQuery(key);
    // A read that began earlier may show what was before a change. Who waits for it gets the result of this one.
    void client.cancelQueries({ queryKey: query.queryKey, exact: true }, { silent: true, revert: false });
    const feature = await client.fetchQuery({ ...query, staleTime: 0 });
    patchFeature(client, key, () => feature);
    return feature;
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
    return undefined;
  }
}
