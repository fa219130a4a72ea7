import { describe, expect, it } from "vitest";
import { headerLocator } from "../../../src/infrastructure/location/header-locator.ts";
import { locatorContract } from "../../contracts/locator.contract.ts";

describe("the header locator", () => {
  const locator = headerLocator("CF-IPCountry");
  locatorContract(() => locator, { headers: { "cf-ipcountry": "ES" } }, ["es"]);

  const locationIn = (value?: string) =>
    locator.locate({ header: (name) => (name === "cf-ipcountry" ? value : undefined), query: () => undefined });

  it.each([
    ["ES", ["es"]],
    [" es ", ["es"]],
    ["es/madrid", ["es/madrid"]],
    ["Madrid", ["Madrid"]],
  ])("maps %j to %j", (value, locations) => {
    expect(locationIn(value)).toEqual(locations);
  });

  it.each([undefined, "", " ", "XX", "T1"])("returns nothing for %j", (value) => {
    expect(locationIn(value)).toEqual([]);
  });

  it("reads its header only", () => {
    expect(locator).toMatchObject({ kind: "header", headers: ["cf-ipcountry"], readsIp: false });
  });
});
