import { describe, expect, it } from "vitest";
import { InvalidContext } from "../../../src/domain/errors.ts";
import { areaLocator } from "../../../src/infrastructure/location/area-locator.ts";
import { hintsOf, locatorContract } from "../../contracts/locator.contract.ts";

const names = { latitude: "latitude", longitude: "longitude" };
const square = (west: number, south: number, size: number) => [
  { latitude: south, longitude: west },
  { latitude: south, longitude: west + size },
  { latitude: south + size, longitude: west + size },
  { latitude: south + size, longitude: west },
];
const locator = areaLocator({
  query: names,
  headers: { latitude: "X-Latitude", longitude: "X-Longitude" },
  areas: [
    { name: "es/madrid/retiro", circle: { latitude: 40.4153, longitude: -3.6845, radiusKm: 1 } },
    { name: "es/madrid", polygon: square(-4, 40, 1) },
    { name: "fairs/food", circle: { latitude: 40.42, longitude: -3.69, radiusKm: 5 } },
    { name: "fiji", circle: { latitude: -17, longitude: 179.9, radiusKm: 50 } },
  ],
});

function locationsAt(query: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) {
  return locator.locate(hintsOf({ location: "pt", headers, query }));
}

describe("the area locator", () => {
  locatorContract(() => locator, { query: { latitude: "40.9", longitude: "-3.1" } }, ["es/madrid"]);

  it("returns all areas that contain the point", () => {
    expect(locationsAt({ latitude: "40.4168", longitude: "-3.6838" })).toEqual([
      "es/madrid/retiro",
      "es/madrid",
      "fairs/food",
    ]);
    expect(locationsAt({ latitude: "40.9", longitude: "-3.1" })).toEqual(["es/madrid"]);
    expect(locationsAt({ latitude: "41.01", longitude: "-3.1" })).toEqual([]);
  });

  it("includes the edge, and circles across the 180th meridian", () => {
    expect(locationsAt({ latitude: "40", longitude: "-4" })).toEqual(["es/madrid"]);
    expect(locationsAt({ latitude: "-17", longitude: "-179.8" })).toEqual(["fiji"]);
    expect(locationsAt({ latitude: "-17", longitude: "179" })).toEqual([]);
  });

  it("reads the point from headers if the query has none", () => {
    const headers = { "x-latitude": "40.5", "x-longitude": "-3.5" };
    expect(locationsAt({}, headers)).toEqual(["es/madrid"]);
    expect(locationsAt({ latitude: "0", longitude: "0" }, headers)).toEqual([]);
    expect(locator.headers).toEqual(["x-latitude", "x-longitude"]);
  });

  it("returns nothing without a point", () => {
    expect(locationsAt({})).toEqual([]);
    expect(locationsAt({ latitude: "", longitude: "" })).toEqual([]);
  });

  it.each([
    ["90.01", "0"],
    ["-91", "0"],
    ["0", "180.5"],
    ["0", "-1000"],
    ["NaN", "NaN"],
    ["Infinity", "0"],
    ["1e1", "0"],
    ["0x10", "0"],
    ["40,4168", "-3,7038"],
    ["40°", "3°"],
    [" 40", "3"],
    ["40", ""],
    ["", "3"],
    ["north", "west"],
    ["40\u0000", "3"],
  ])("rejects %j and %j, and names the expected values", (latitude, longitude) => {
    const fault = new InvalidContext(
      "The parameters latitude and longitude are not a point (expected degrees such as 40.4168 and -3.7038, within -90 to 90 and -180 to 180).",
    );
    expect(() => locationsAt({ latitude, longitude })).toThrow(fault);
  });

  it("rejects one coordinate without the other, in parameters and in headers", () => {
    expect(() => locationsAt({ latitude: "40" }, { "x-longitude": "3" })).toThrow(
      /^The parameters latitude and longitude/,
    );
    expect(() => locationsAt({}, { "x-longitude": "3" })).toThrow(
      /^The headers x-latitude and x-longitude are not a point/,
    );
  });
});
