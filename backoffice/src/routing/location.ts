import { useMemo, useSyncExternalStore } from "react";
import { afterLayers, isAtLayer } from "./layers.ts";

/** The path of the page, with a slash at its end: scripts are in `assets` below it. */
export const pagePath = new URL(import.meta.url).pathname.replace(/assets\/[^/]*$/, "");

/** The path below which the service has its routes, with a slash at its end. */
export const servicePath = pagePath.replace(/backoffice\/$/, "");

/** Where the page is: the decoded segments of the path below `/backoffice/`, and the query. */
export type Location = {
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
};

/** Values of a query; `undefined` and empty ones are left out. */
export type QueryValues = Readonly<Record<string, string | undefined>>;

/** Builds the link to a page. Each segment is percent-encoded, slashes too. */
export function linkTo(segments: readonly string[], values: QueryValues = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value) query.set(name, value);
  const path = pagePath + segments.map(encodeURIComponent).join("/");
  return query.size > 0 ? `${path}?${query}` : path;
}

const changed = new EventTarget();

/** Opens a link of the page. Pages push a history entry; filters replace it. */
export function navigate(link: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  afterLayers(() => {
    if (replace) history.replaceState(history.state, "", link);
    else if (isAtLayer()) history.replaceState(null, "", link);
    else history.pushState(null, "", link);
    changed.dispatchEvent(new Event("change"));
  });
}

/**
 * Changes values of the query: the state of filters, which stays in the URL. `isStep`: the browser's Back returns to the
 * values before, as for what was chosen to be read.
 */
export function setQuery(values: QueryValues, { isStep = false }: { readonly isStep?: boolean } = {}): void {
  const { segments, query } = currentLocation();
  navigate(linkTo(segments, { ...Object.fromEntries(query), ...values }), { replace: !isStep });
}

/** Where the page is now. */
export const currentLocation = (): Location => locationOf(currentLink());

/** Where the page is, also after the next navigation. */
export function useLocation(): Location {
  const link = useSyncExternalStore(follow, currentLink);
  return useMemo(() => locationOf(link), [link]);
}

/** The current link, without the fragment. */
const currentLink = (): string => location.pathname + location.search;

function follow(notify: () => void): () => void {
  changed.addEventListener("change", notify);
  addEventListener("popstate", notify);
  return () => {
    changed.removeEventListener("change", notify);
    removeEventListener("popstate", notify);
  };
}

/** No page has this path. */
const nowhere = [""];

/** The segments of a path as text; none of a page if one is not encoded well. */
function segmentsOf(path: string): readonly string[] {
  try {
    return path.split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    return nowhere;
  }
}

function locationOf(link: string): Location {
  const [path = "", search] = link.split("?");
  const below = path.startsWith(pagePath) ? path.slice(pagePath.length) : "";
  return { segments: segmentsOf(below), query: new URLSearchParams(search) };
}
