import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";

const file = pathToFileURL(resolve(import.meta.dirname, "../../../src/bootstrap/runtime/allocate-young.ts")).href;
const use = `(await import(${JSON.stringify(file)})).allocateYoung();`;

/** Keeps the first arrays of a call site, drops the later ones, and prints how many of these were old from the start. */
const script = `
  const make = (value) => [value, value];
  let kept = [];
  for (let count = 0; count < 400_000; count++) kept.push(make(count));
  kept = undefined;
  let old = 0;
  for (let count = 0; count < 3_000_000; count++) {
    const last = make(count);
    globalThis.last = last;
    if (count % 100 === 0 && !%InYoungGeneration(last)) old += 1;
  }
  console.log(old);
`;

/** How many of 30,000 arrays that are garbage at once are allocated in the old generation. */
function oldGarbage(first: string): number {
  // Only a young generation of full size is pretenured, so it is kept small.
  const options = ["--max-semi-space-size=1", "--allow-natives-syntax", "--input-type=module", "--eval"];
  return Number(execFileSync(process.execPath, [...options, first + script], { encoding: "utf8" }));
}

test("garbage stays in the young generation, although earlier objects of its call site survived", () => {
  expect(oldGarbage(use)).toBe(0);
});

test("without that, V8 puts such garbage into the old generation", () => {
  expect(oldGarbage("")).toBeGreaterThan(1_000);
});
