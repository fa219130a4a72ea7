import type { Slice } from "../rounds.ts";
import { spreadOf } from "../spread.ts";
import { mb, spreadText } from "./figures.ts";
import { ratios, slicesOf } from "./targets.ts";

type Rows = {
  readonly title: string;
  /** The contestants, in this order. Those without slices are omitted. */
  readonly names: readonly string[];
  readonly connections: number;
  /** The contestant that all are compared with, and its short name. */
  readonly to: string;
  readonly toName: string;
};

/** A table of contestants: rate, processor time and latency, with ratios to one of them. */
export function ratesTable(slices: readonly Slice[], { title, names, connections, to, toName }: Rows): string {
  const base = slicesOf(slices, to, connections);
  const rows = names.flatMap((name) => {
    const own = slicesOf(slices, name, connections);
    if (own.length === 0) return [];
    const figures = (pick: (slice: Slice) => number) => own.map(pick);
    const cells = [
      name,
      spreadText(
        figures(({ perSecond }) => perSecond / 1_000),
        1,
      ),
      spreadText(
        ratios(own, base, ({ perSecond }) => perSecond),
        2,
      ),
      spreadOf(figures(({ cpuMicros }) => cpuMicros)).median.toFixed(1),
      spreadOf(ratios(own, base, ({ cpuMicros }) => cpuMicros)).median.toFixed(2),
      spreadOf(figures(({ p50 }) => p50)).median.toFixed(2),
      spreadText(
        figures(({ p99 }) => p99),
        1,
      ),
      mb(spreadOf(figures(({ residentBytes }) => residentBytes)).median),
    ];
    return [`| ${cells.join(" | ")} |`];
  });
  return `| ${title} | thousand calls a second | ratio to ${toName} | processor µs a call | ratio to ${toName} | p50 ms | p99 ms | resident MB |
| --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}`;
}
