import { describe, expect, it } from "vitest";
import { locationsAt } from "../../src/domain/evaluation/location.ts";
import type { LocationHints, Locator } from "../../src/domain/evaluation/locator.ts";

/** Hints about a caller's location. */
export type Hints = {
  readonly location?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly ip?: string;
};

export const hintsOf = ({ location, headers = {}, query = {}, ip }: Hints): LocationHints => ({
  location: location,
  header: (name) => headers[name],
  query: (name) => query[name],
  ip,
});

/** The contract of Locator. The hints locate the caller at `locations`. */
export function locatorContract(open: () => Locator, hints: Hints, locations: readonly string[]): void {
  describe("Locator", () => {
    it("returns valid location names", () => {
      expect(open().locate(hintsOf(hints))).toEqual(locations);
      expect(locationsAt(locations).length).toBeGreaterThan(0);
    });

    it("returns the same locations again", () => {
      const locator = open();
      locator.locate(hintsOf(hints));
      expect(locator.locate(hintsOf(hints))).toEqual(locations);
    });

    it("returns nothing without hints", () => {
      expect(open().locate(hintsOf({}))).toEqual([]);
      expect(open().locate(hintsOf({ location: "", ip: "" }))).toEqual([]);
    });

    it("reads only the declared headers, and the address only if declared", () => {
      const locator = open();
      const asked: string[] = [];
      let readIp = false;
      for (const each of [hints, {}]) {
        const hints = hintsOf(each);
        locator.locate({
          ...hints,
          header: (name) => {
            asked.push(name);
            return hints.header(name);
          },
          get ip() {
            readIp = true;
            return hints.ip;
          },
        });
      }
      expect(locator.headers).toEqual(expect.arrayContaining(asked));
      expect(locator.headers).toEqual(locator.headers.map((name) => name.toLowerCase()));
      expect(locator.readsIp).toBe(readIp);
    });
  });
}
