/** Measures three times, one after the other, and returns the least: other work on the machine only adds to it. */
export async function leastOfThree(measure: () => Promise<number>): Promise<number> {
  return Math.min(await measure(), await measure(), await measure());
}
