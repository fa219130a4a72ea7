import { describe, expect, it } from "vitest";
import { locationsAt } from "../../src/domain/evaluation/location.ts";
import type { LocationHints, Locator } from "../../src/domain/evaluation/locator.ts";

/** What a caller may tell of where it is. */
export type Told = {
  readonly said?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly ip?: string;
};

export const cluesOf = ({ said, headers = {}, query = {}, ip }: Told): LocationHints => ({
  said,
  header: (name) => headers[name],
  query: (name) => query[name],
  ip,
});

/** What every Locator does. `told` is such that it locates the caller at `places`. */
export function locatorContract(open: () => Locator, told: Told, places: readonly string[]): void {
  describe("Locator", () => {
    it("tells where the caller is, by names that places can have", () => {
      expect(open().locate(cluesOf(told))).toEqual(places);
      expect(locationsAt(places).length).toBeGreaterThan(0);
    });

    it("tells the same when it is asked again", () => {
      const locator = open();
      locator.locate(cluesOf(told));
      expect(locator.locate(cluesOf(told))).toEqual(places);
    });

    it("cannot tell without a clue", () => {
      expect(open().locate(cluesOf({}))).toEqual([]);
      expect(open().locate(cluesOf({ said: "", ip: "" }))).toEqual([]);
    });

    it("goes by no other headers than it says, and by the address only where it says so", () => {
      const locator = open();
      const asked: string[] = [];
      let readIp = false;
      for (const each of [told, {}]) {
        const clues = cluesOf(each);
        locator.locate({
          ...clues,
          header: (name) => {
            asked.push(name);
            return clues.header(name);
          },
          get ip() {
            readIp = true;
            return clues.ip;
          },
        });
      }
      expect(locator.headers).toEqual(expect.arrayContaining(asked));
      expect(locator.headers).toEqual(locator.headers.map((name) => name.toLowerCase()));
      expect(locator.readsIp).toBe(readIp);
    });
  });
}
