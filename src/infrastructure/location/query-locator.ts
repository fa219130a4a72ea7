import type { Locator } from "../../domain/evaluation/locator.ts";

/** Query locator: returns the location that the client states. */
export const queryLocator: Locator = {
  kind: "query",
  headers: [],
  readsIp: false,
  locate: ({ location }) => (location ? [location] : []),
};
