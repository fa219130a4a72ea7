import type { Locator } from "../../domain/evaluation/locator.ts";

/** Query locator: returns the location that the client states. */
export const callerLocator: Locator = {
  kind: "caller",
  headers: [],
  readsIp: false,
  locate: ({ said }) => (said ? [said] : []),
};
