import { joined } from "../ui/numbers.ts";
import { dayTime } from "../ui/time.tsx";
import type { SummaryPage } from "./person-queries.ts";

/** What sources lack, and its consequence. */
export type MissingHistory = { readonly title: string; readonly consequence: string };

/** The sources without history at a moment, and since when they have one; `undefined` if all have it. */
export function missingHistoryIn(sources: SummaryPage["context"]["sources"]): MissingHistory | undefined {
  const without = new Map(sources.flatMap((each) => (each.state === "no-history" ? [[each.name, each]] : [])));
  if (without.size === 0) return undefined;
  const since = [...without.values()]
    .flatMap(({ historyFrom }) => historyFrom ?? [])
    .sort()
    .at(-1);
  const when = since === undefined ? "at that moment" : `before ${dayTime(new Date(since))}`;
  return {
    title: `No history of ${joined([...without.keys()])} ${when}.`,
    consequence: `Features that depend on ${without.size === 1 ? "it" : "them"} show as unknown, never as a guess.`,
  };
}
