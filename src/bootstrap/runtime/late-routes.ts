import type { HttpOptions } from "../../adapters/http/app.ts";
import type { HttpCounters } from "../../adapters/http/operations/http-counters.ts";
import type { Fetch } from "../../adapters/http/server/request-listener.ts";

/** The routes. A request waits until they are loaded. */
export type LateRoutes = { readonly fetch: Fetch; readonly load: () => Promise<unknown> };

/**
 * Loads the routes after the start, or at the first request for one of them. The fast path serves `GET /features`
 * without them, and they and their libraries are a quarter of what a start loads.
 */
export function lateRoutes(options: HttpOptions, counters: HttpCounters): LateRoutes {
  let loaded: Fetch | undefined;
  let loading: Promise<Fetch> | undefined;
  const load = async (): Promise<Fetch> => {
    const [{ httpApp }, { measured }] = await Promise.all([
      import("../../adapters/http/app.ts"),
      import("../../adapters/http/operations/measured.ts"),
    ]);
    loaded = measured(httpApp(options), counters);
    return loaded;
  };
  const routes = (): Promise<Fetch> => {
    loading ??= load();
    return loading;
  };
  return {
    fetch: (request, environment) =>
      loaded ? loaded(request, environment) : routes().then((fetch) => fetch(request, environment)),
    load: routes,
  };
}
