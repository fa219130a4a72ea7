import type { Locator } from "../../domain/evaluation/locator.ts";

/** Takes callers at their word. */
export const callerLocator: Locator = {
  kind: "caller",
  headers: [],
  readsIp: false,
  locate: ({ said }) => (said ? [said] : []),
};
