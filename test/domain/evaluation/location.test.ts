import { describe, expect, it } from "vitest";
import { InvalidContext } from "../../../src/domain/errors.ts";
import { locationsAt } from "../../../src/domain/evaluation/location.ts";

describe("the locations of a caller", () => {
  it("are the location and its parents, most specific first", () => {
    expect(locationsAt(["es/madrid/retiro"])).toEqual(["es/madrid/retiro", "es/madrid", "es"]);
    expect(locationsAt(["location1"])).toEqual(["location1"]);
  });

  it("are unique, even with common parents", () => {
    expect(locationsAt(["es", "es/madrid", "fairs/food", "es/madrid"])).toEqual([
      "es/madrid",
      "fairs/food",
      "es",
      "fairs",
    ]);
  });

  it("are unchanged, except for slashes between levels", () => {
    expect(locationsAt(["Málaga (Centro)"])).toEqual(["Málaga (Centro)"]);
    expect(locationsAt(["/es/"])).toEqual(["/es/", "/es"]);
  });

  it.each([
    ["nothing", ""],
    ["more than 200 characters", "a".repeat(201)],
    ["a control character", "es/\u0007"],
    ["an unpaired surrogate", "es/\ud800"],
    ["nine levels", "a/b/c/d/e/f/g/h/i"],
  ])("rejects %s", (_, name) => {
    expect(() => locationsAt([name])).toThrow(InvalidContext);
    expect(() => locationsAt(["es", name])).toThrow(/\(expected /);
  });

  it("can have eight levels", () => {
    expect(locationsAt(["a/b/c/d/e/f/g/h"])).toHaveLength(8);
  });
});
