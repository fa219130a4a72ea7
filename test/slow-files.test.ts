import { expect, it } from "vitest";
import { slowFilesText } from "./support/slow-files.ts";

it("the wall time of a run is printed, with its ten slowest files", () => {
  const files = Array.from({ length: 12 }, (_, index) => ({ name: `${index}.test.ts`, ms: 1_000 * index }));
  expect(slowFilesText(61_234, files)).toBe(
    [
      "12 files in 61.2 s; the slowest:",
      "  11.0 s  11.test.ts",
      "  10.0 s  10.test.ts",
      ...[9, 8, 7, 6, 5, 4, 3, 2].map((second) => `   ${second}.0 s  ${second}.test.ts`),
    ].join("\n"),
  );
});
