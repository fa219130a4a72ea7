/** Some figures in short: median, minimum and maximum. */
export type Spread = { readonly median: number; readonly min: number; readonly max: number };

export function spreadOf(figures: readonly number[]): Spread {
  const sorted = ascending(figures);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const median = (at(Math.floor((sorted.length - 1) / 2)) + at(Math.ceil((sorted.length - 1) / 2))) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
}

/** The smallest figure that is at least as large as this part, from 0 to 1, of all figures. */
export function percentile(figures: readonly number[], part: number): number {
  const sorted = ascending(figures);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

const ascending = (figures: readonly number[]): readonly number[] => figures.toSorted((a, b) => a - b);
