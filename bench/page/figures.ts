import { spreadOf } from "../spread.ts";

/** The median of some figures, with minimum and maximum. */
export function spreadText(figures: readonly number[], digits: number): string {
  const { median, min, max } = spreadOf(figures);
  return `${median.toFixed(digits)} [${min.toFixed(digits)} to ${max.toFixed(digits)}]`;
}

export const mb = (bytes: number): string => (bytes / 1e6).toFixed(0);
