import { describe, expect, it } from "vitest";
import { LocateCaller } from "../../src/application/locate-caller.ts";
import { InvalidContext } from "../../src/domain/errors.ts";
import type { Clues, Locator } from "../../src/domain/locator.ts";
import { callerLocator } from "../../src/infrastructure/location/caller-locator.ts";
import { headerLocator } from "../../src/infrastructure/location/header-locator.ts";

const clues = (said?: string, headers: Readonly<Record<string, string>> = {}): Clues => ({
  said,
  header: (name) => headers[name],
  query: () => undefined,
});

const byAddress: Locator = {
  kind: "test",
  headers: ["x-place", "x-latitude"],
  readsIp: true,
  locate: ({ ip }) => (ip ? ["es/madrid", "fairs"] : []),
};

describe("where a caller is", () => {
  const locate = new LocateCaller([callerLocator, headerLocator("X-Place"), byAddress]);

  it("is told by the first that can tell", () => {
    const all = { ...clues("pt", { "x-place": "fr" }), ip: "192.0.2.1" };
    expect(locate.execute(all)).toEqual({ locations: ["pt"], by: "caller" });
    expect(locate.execute({ ...all, said: "" })).toEqual({ locations: ["fr"], by: "header" });
    expect(locate.execute({ ...clues(), ip: all.ip })).toEqual({
      locations: ["es/madrid", "es", "fairs"],
      by: "test",
    });
  });

  it("is not known where none can tell", () => {
    expect(locate.execute(clues())).toBeUndefined();
    expect(new LocateCaller([byAddress]).execute(clues("madrid"))).toBeUndefined();
  });

  it("cannot be what is no name of a place, whoever tells", () => {
    expect(() => locate.execute(clues("a".repeat(201)))).toThrow(InvalidContext);
    expect(() => locate.execute(clues(undefined, { "x-place": "a/".repeat(9) }))).toThrow(InvalidContext);
  });

  it("follows from the headers and the address that the locators go by", () => {
    expect(locate.headers).toEqual(["x-place", "x-latitude"]);
    expect(locate.readsIp).toBe(true);
    expect(new LocateCaller([callerLocator])).toMatchObject({ headers: [], readsIp: false });
  });
});
