import { describe, expect, it } from "vitest";
import { LocateCaller } from "../../../src/application/evaluation/locate-caller.ts";
import { InvalidContext } from "../../../src/domain/errors.ts";
import { uncachedRead } from "../../../src/domain/evaluation/cached-read.ts";
import type { LocationHints, Locator, UserLocator } from "../../../src/domain/evaluation/locator.ts";
import { headerLocator } from "../../../src/infrastructure/location/header-locator.ts";
import { queryLocator } from "../../../src/infrastructure/location/query-locator.ts";

const hints = (said?: string, headers: Readonly<Record<string, string>> = {}): LocationHints => ({
  location: said,
  header: (name) => headers[name],
  query: () => undefined,
});

const byAddress: Locator = {
  kind: "test",
  headers: ["x-place", "x-latitude"],
  readsIp: true,
  locate: ({ ip }) => (ip ? ["es/madrid", "fairs"] : []),
};

describe("the location of a caller", () => {
  const locate = new LocateCaller([queryLocator, headerLocator("X-Place"), byAddress]);

  it("is the first match of the locators", async () => {
    const all = { ...hints("pt", { "x-place": "fr" }), ip: "192.0.2.1" };
    const located = async (notified: LocationHints) => (await locate.locate(notified)).located;
    expect(await located(all)).toEqual({ locations: ["pt"], by: "query" });
    expect(await located({ ...all, location: "" })).toEqual({ locations: ["fr"], by: "header" });
    expect(await located({ ...hints(), ip: all.ip })).toEqual({ locations: ["es/madrid", "es", "fairs"], by: "test" });
  });

  it("is unknown without a match", async () => {
    expect(await locate.locate(hints())).toEqual({ located: undefined, reads: [] });
    expect(await new LocateCaller([byAddress]).locate(hints("madrid"))).toEqual({ located: undefined, reads: [] });
  });

  it("rejects an invalid location name from every locator", () => {
    expect(() => locate.locate(hints("a".repeat(201)))).toThrow(InvalidContext);
    expect(() => locate.locate(hints(undefined, { "x-place": "a/".repeat(9) }))).toThrow(InvalidContext);
  });

  describe("of a user with a stored location", () => {
    const cached = (...features: readonly string[]) => uncachedRead({ features, invalidMembers: 0 }, 0);
    const stored = new Map([
      ["1", cached("es/madrid", "a/".repeat(9))],
      ["2", cached()],
    ]);
    const asked: string[] = [];
    const byUser: UserLocator = {
      over: () => byUser,
      kind: "user",
      locationsOf: (userId) => {
        asked.push(userId);
        return stored.get(userId) ?? Promise.reject(new Error("away"));
      },
    };
    const locate = new LocateCaller([queryLocator, byUser, headerLocator("X-Place")]);

    it("is read if no earlier locator matches, and the result depends on that read", async () => {
      expect(await locate.locate(hints(), "1")).toEqual({
        located: { locations: ["es/madrid", "es"], by: "user" },
        reads: [stored.get("1")],
      });
      expect(await locate.locate(hints("pt"), "1")).toEqual({
        located: { locations: ["pt"], by: "query" },
        reads: [],
      });
      expect(await locate.locate(hints())).toEqual({ located: undefined, reads: [] });
    });

    it("is the match of a later locator if nothing is stored, and depends on the read", async () => {
      expect(await locate.locate(hints(undefined, { "x-place": "fr" }), "2")).toEqual({
        located: { locations: ["fr"], by: "header" },
        reads: [stored.get("2")],
      });
    });

    it("rejects while it is not readable", async () => {
      await expect(locate.locate(hints(undefined, { "x-place": "fr" }), "3")).rejects.toThrow("away");
    });

    it("is not read if an earlier locator matches, and needs neither headers nor an address", () => {
      expect(asked).toEqual(["1", "2", "3"]);
      expect(new LocateCaller([byUser])).toMatchObject({ headers: [], readsIp: false });
    });
  });

  it("varies by the headers and the address that its locators read", () => {
    expect(locate.headers).toEqual(["x-place", "x-latitude"]);
    expect(locate.readsIp).toBe(true);
    expect(new LocateCaller([queryLocator])).toMatchObject({ headers: [], readsIp: false });
  });
});
