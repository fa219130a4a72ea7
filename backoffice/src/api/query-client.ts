import { QueryClient } from "@tanstack/react-query";
import { onSessionEnd } from "./client.ts";
import { hasStatus } from "./problem.ts";
import { sessionKey } from "./session.ts";

/**
 * The cache of everything that was read. The event stream invalidates what changes, so data do not become stale by age.
 * A 401 asks the operator to sign in again; the page stays behind the dialog.
 */
export const queryClient: QueryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 60_000,
      refetchOnWindowFocus: false,
      // A request that the service refuses is refused again.
      retry: (failures, error) => failures < 2 && (hasStatus(error, 0) || hasStatus(error, 502, 503, 504)),
    },
  },
});

onSessionEnd(() => queryClient.setQueryData(sessionKey, null));
