import { setQuery } from "../routing/location.ts";
import { type FeatureState, states } from "../ui/feature-state.tsx";

const sorts = ["-evaluated", "evaluated", "key", "-key", "changed", "-changed"] as const;
export type FeatureSort = (typeof sorts)[number];

/** The order of the list without another: the most evaluated features first. */
export const defaultSort: FeatureSort = "-evaluated";

/** Times for which a feature can be unused, in the parameter `evaluated`. */
export const unusedTimes = ["7d", "30d", "90d"] as const;

/** Filters and order of the list of features, as they are in the URL. */
export type FeatureFilters = {
  readonly search?: string;
  readonly state?: FeatureState;
  readonly owner?: string;
  readonly tag?: string;
  readonly source?: string;
  /** Only those that were not used for this time, such as `30d`. */
  readonly unusedFor?: string;
  readonly sort: FeatureSort;
};

export function filtersIn(query: URLSearchParams): FeatureFilters {
  const text = (name: string) => query.get(name) || undefined;
  const state = states.find((each) => each === query.get("state"));
  const [search, owner, tag, source] = [text("q"), text("owner"), text("tag"), text("source")];
  const unusedFor = unusedTimes.find((each) => each === query.get("evaluated"));
  return {
    sort: sorts.find((each) => each === query.get("sort")) ?? defaultSort,
    ...(search !== undefined && { search }),
    ...(state !== undefined && { state }),
    ...(owner !== undefined && { owner }),
    ...(tag !== undefined && { tag }),
    ...(source !== undefined && { source }),
    ...(unusedFor !== undefined && { unusedFor }),
  };
}

/** Whether anything but the order is set. */
export const hasFilters = (filters: FeatureFilters): boolean => Object.keys(filters).length > 1;

export const clearFilters = (): void =>
  setQuery({
    q: undefined,
    state: undefined,
    owner: undefined,
    tag: undefined,
    source: undefined,
    evaluated: undefined,
  });

/** The parameters of the URL that make a view of the list. */
export const viewParameters = ["q", "state", "owner", "tag", "source", "evaluated", "sort"] as const;
