import { describe, expect, it } from "vitest";
import { locationsAt } from "../../src/domain/evaluation/location.ts";
import type { LocationHints, Locator } from "../../src/domain/evaluation/locator.ts";

/** Hints about a caller's location. */
export type Told = {
  readonly said?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly ip?: string;
};

export const hintsOf = ({ said, headers = {}, query = {}, ip }: Told): LocationHints => ({
  location: said,
  header: (name) => headers[name],
  query: (name) => query[name],
  ip,
});

/** The contract of Locator. The hints locate the caller at `locations`. */
export function locatorContract(open: () => Locator, told: Told, places: readonly string[]): void {
  describe("Locator", () => {
    it("returns valid location names", () => {
      expect(open().locate(hintsOf(told))).toEqual(places);
      expect(locationsAt(places).length).toBeGreaterThan(0);
    });

    it("returns the same locations again", () => {
      const locator = open();
      locator.locate(hintsOf(told));
      expect(locator.locate(hintsOf(told))).toEqual(places);
    });

    it("returns nothing without hints", () => {
      expect(open().locate(hintsOf({}))).toEqual([]);
      expect(open().locate(hintsOf({ said: "", ip: "" }))).toEqual([]);
    });

    it("reads only the declared headers, and the address only if declared", () => {
      const locator = open();
      const asked: string[] = [];
      let readIp = false;
      for (const each of [told, {}]) {
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
