import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";

const file = pathToFileURL(resolve(import.meta.dirname, "../../../src/bootstrap/runtime/allocate-young.ts")).href;
const use = `(await import(${JSON.stringify(file)})).allocateYoung();`;

/** Keeps the first arrays of a call site, drops the later ones, and prints what these add to the old generation. */
const script = `
  const { getHeapSpaceStatistics } = await import("node:v8");
  const make = (value) => [value, value];
  let kept = [];
  for (let count = 0; count < 400_000; count++) kept.push(make(count));
  kept = undefined;
  const used = () => getHeapSpaceStatistics().find((space) => space.space_name === "old_space").space_used_size;
  let before = used();
  let grown = 0;
  for (let count = 0; count < 3_000_000; count++) {
    globalThis.last = make(count);
    if (count % 10_000 > 0) continue;
    const now = used();
    grown += Math.max(0, now - before);
    before = now;
  }
  console.log(grown);
`;

/** The bytes that go to the old generation although they are garbage. */
function oldGarbage(first: string): number {
  // Only a young generation of full size is pretenured, so it is kept small.
  const options = ["--max-semi-space-size=1", "--input-type=module", "--eval", first + script];
  return Number(execFileSync(process.execPath, options, { encoding: "utf8" }));
}

test("garbage stays in the young generation, although earlier objects of its call site survived", () => {
  expect(oldGarbage(use)).toBeLessThan(3e6);
});

test("without that, V8 puts such garbage into the old generation", () => {
  expect(oldGarbage("")).toBeGreaterThan(5e6);
});
