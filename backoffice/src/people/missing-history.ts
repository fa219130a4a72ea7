import { joined } from "../ui/numbers.ts";
import { dayTime } from "../ui/time.tsx";
import type { SummaryPage } from "./person-queries.ts";

/** What sources lack, and its consequence. */
export type MissingHistory = { readonly title: string; readonly consequence: string };

/** The sources without history at a moment, and since when they have one; `undefined` if all have it. */
export function missingHistoryIn(sources: SummaryPage["context"]["sources"]): MissingHistory | undefined {
  const without = new Map(sources.flatMap((each) => (each.state === "no-history" ? [[each.name, each]] : [])));
  if (without.size === 0) return undefined;
  // Sources whose starts read alike are named together, the earliest first.
  const known = [...without.values()].toSorted((a, b) => (a.historyFrom ?? "").localeCompare(b.historyFrom ?? ""));
  const groups = Map.groupBy(known, ({ historyFrom }) =>
    historyFrom === null ? "at that moment" : `before ${dayTime(new Date(historyFrom))}`,
  );
  const parts = Array.from(groups, ([when, sources]) => `of ${joined(sources.map(({ name }) => name))} ${when}`);
  return {
    title: `No history ${parts.join(", ")}.`,
    consequence: `Features that depend on ${without.size === 1 ? "it" : "them"} show as unknown, never as a guess.`,
  };
}
