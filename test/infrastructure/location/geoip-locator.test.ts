import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { geoipLocator } from "../../../src/infrastructure/location/geoip-locator.ts";
import { SetupFailed } from "../../../src/infrastructure/setup-failed.ts";
import { hintsOf, locatorContract } from "../../contracts/locator.contract.ts";
import { cityDatabase } from "../../support/city-database.ts";

const folder = mkdtempSync(join(tmpdir(), "tidegate-geoip-"));
afterAll(() => rmSync(folder, { recursive: true }));

const locationsOf = (locator: ReturnType<typeof geoipLocator>, ip?: string) =>
  locator.locate(hintsOf(ip === undefined ? {} : { ip }));

describe("the included database of countries", () => {
  const locator = geoipLocator();

  locatorContract(() => locator, { ip: "81.2.69.142" }, ["gb"]);

  it.each([
    ["8.8.8.8", "us"],
    ["81.2.69.142", "gb"],
    ["::ffff:8.8.8.8", "us"],
    ["::FFFF:8.8.8.8", "us"],
    ["2001:4860:4860::8888", "us"],
  ])("returns the country of %s: %s", (ip, country) => {
    expect(locationsOf(locator, ip)).toEqual([country]);
  });

  it.each([
    "127.0.0.1",
    "10.1.2.3",
    "192.168.1.1",
    "172.16.0.1",
    "100.64.0.1",
    "169.254.1.1",
    "224.0.0.1",
    "0.0.0.0",
    "::",
    "::1",
    "fe80::1%eth0",
    "fd00::1",
    "::ffff:192.168.1.1",
    "::ffff:c0a8:101",
    "64:ff9b::808:808",
    "2001:db8::1",
    "203.0.113.7",
    "ff02::1",
  ])("returns nothing for the unassigned address %s", (ip) => {
    expect(locationsOf(locator, ip)).toEqual([]);
  });

  it.each([undefined, "", "unknown", "01.2.3.4", "1.2.3", "1.2.3.4.5", "8.8.8.8:80", "[::1]"])(
    "returns nothing for the invalid address %s",
    (ip) => {
      expect(locationsOf(locator, ip)).toEqual([]);
    },
  );
});

describe("a database of cities", () => {
  const file = join(folder, "cities.mmdb");
  writeFileSync(
    file,
    cityDatabase([
      ["81.2.69.142", { country: { iso_code: "ES" }, city: { names: { en: "Madrid", fr: "Madrid" } } }],
      ["81.2.69.143", { country_code: "BR", city: "São José dos Campos" }],
      ["81.2.69.144", { country: { iso_code: "PT" } }],
      ["81.2.69.145", { city: { names: { en: "Nowhere" } } }],
      ["81.2.69.146", { country_code: "US", city: "/Winston-Salem (Old Town)/" }],
    ]),
  );
  const locator = geoipLocator(file);

  it.each([
    ["81.2.69.142", ["es/madrid"]],
    ["81.2.69.143", ["br/sao-jose-dos-campos"]],
    ["81.2.69.144", ["pt"]],
    ["81.2.69.145", []],
    ["81.2.69.146", ["us/winston-salem-old-town"]],
    ["81.2.69.147", []],
    ["2001:4860:4860::8888", []],
  ])("returns the location of %s: %j", (ip, locations) => {
    expect(locationsOf(locator, ip)).toEqual(locations);
  });
});

it("reads a database that is compressed by gzip", () => {
  const file = join(folder, "countries.mmdb.gz");
  writeFileSync(file, gzipSync(readFileSync(fileURLToPath(import.meta.resolve("#country-database"))), { level: 1 }));
  expect(locationsOf(geoipLocator(file), "81.2.69.142")).toEqual(["gb"]);
});

describe("an invalid database file", () => {
  const own = readFileSync(fileURLToPath(import.meta.resolve("#country-database")));

  it.each([
    ["empty", Buffer.alloc(0), "not a MaxMind database, or damaged"],
    ["some text", Buffer.from("locations: []\n".repeat(1_000)), "not a MaxMind database, or damaged"],
    ["half a database", own.subarray(0, own.length / 2), "not a MaxMind database, or damaged"],
    ["one without its beginning", own.subarray(1_000), "damaged"],
  ])("is rejected with its name and the fix: %s", (name, content, fault) => {
    const file = join(folder, `${name}.mmdb`);
    writeFileSync(file, content);
    const message = `cannot use the GeoIP database ${file}: ${fault} (expected a readable MaxMind database; omit \`database\` for the bundled one)`;
    expect(() => geoipLocator(file)).toThrow(new SetupFailed(message));
  });

  it("is rejected too if it is a folder or missing", () => {
    expect(() => geoipLocator(folder)).toThrow(/^cannot use .*: EISDIR.* \(expected a readable/);
    expect(() => geoipLocator(join(folder, "none.mmdb"))).toThrow(/none\.mmdb: ENOENT.* \(expected a readable/);
  });
});
