import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/bootstrap/config/config.ts";
import { ConfigError } from "../../src/infrastructure/config-error.ts";
import { cityDatabase } from "../support/city-database.ts";
import { type Operator, sqliteRules, startOperator } from "../support/operator.ts";
import { startServiceOn } from "../support/service.ts";
import { Walkthrough } from "../support/walkthrough.ts";

const folder = mkdtempSync(join(tmpdir(), "tidegate-locations-"));
afterAll(() => rmSync(folder, { recursive: true }));

const located = (city: string, ip = "81.2.69.142") =>
  cityDatabase([[ip, { country: { iso_code: "ES" }, city: { names: { en: city } } }]]);

describe("docs/how-to/locations.md", () => {
  it("shows the output of its commands", async () => {
    using page = new Walkthrough("docs/how-to/locations.md");
    page.configure("Configure locators");
    const env = { TIDEGATE_DATA: join(page.folder, "data"), TIDEGATE_CONFIG: join(page.folder, "my.yaml") };
    await using service = await page.serve(env);
    await page.follow("See what is on where", service.url, env, 12);
  }, 180_000);
});

describe("over HTTP", () => {
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    writeFileSync(join(folder, "city.mmdb"), located("Madrid"));
    operator = await startOperator(
      `${sqliteRules}
locators:
  - kind: query
  - { kind: header, header: X-Place }
  - kind: areas
    headers: { latitude: X-Latitude, longitude: X-Longitude }
    areas: [{ name: es/sevilla, circle: { latitude: 37.39, longitude: -5.98, radiusKm: 10 } }]
  - { kind: geoip, database: "${join(folder, "city.mmdb")}" }
context: { trustedProxies: [loopback] }
`,
    );
    for (const place of ["es", "es/madrid", "es/sevilla", "pt"]) {
      const name = `in-${place.replace("/", "-")}`;
      await operator.put(`/sources/location/features/${name}?location=${encodeURIComponent(place)}`);
    }
  });
  afterAll(() => operator[Symbol.asyncDispose]());

  const locations = async (query: string, headers: Record<string, string> = {}) => {
    const answer = await operator.service.get(`/features${query}`, headers);
    expect(answer.status).toBe(200);
    const { active_features } = (await answer.json()) as { active_features: readonly string[] };
    return active_features.filter((feature) => feature.startsWith("in-"));
  };

  it.each<[query: string, headers: Record<string, string>, locations: readonly string[]]>([
    ["", {}, []],
    ["?location=pt", { "x-place": "ES", "x-forwarded-for": "81.2.69.142" }, ["in-pt"]],
    ["?location=es/madrid/retiro", {}, ["in-es", "in-es-madrid"]],
    ["?location=", { "x-place": "ES" }, ["in-es"]],
    ["", { "x-place": "XX", "x-forwarded-for": "81.2.69.142" }, ["in-es", "in-es-madrid"]],
    ["?latitude=37.4&longitude=-6", { "x-forwarded-for": "81.2.69.142" }, ["in-es", "in-es-sevilla"]],
    ["?latitude=0&longitude=0", {}, []],
    ["", { "x-latitude": "37.4", "x-longitude": "-6" }, ["in-es", "in-es-sevilla"]],
    ["", { "x-forwarded-for": "192.168.1.1" }, []],
    ["", { "x-forwarded-for": "81.2.69.143" }, []],
  ])("returns the features of the location for %j with %j", async (query, headers, expected) => {
    // The second response comes from the cache.
    expect(await locations(query, headers)).toEqual(expected);
    expect(await locations(query, headers)).toEqual(expected);
  });

  it.each<[query: string, headers: Record<string, string>]>([
    [`?location=${"x".repeat(201)}`, {}],
    ["?location=a%07", {}],
    ["?location=es/%00", {}],
    ["?location=a/b/c/d/e/f/g/h/i", {}],
    ["", { "x-place": "a/b/c/d/e/f/g/h/i" }],
    ["?latitude=91&longitude=0", {}],
    ["?latitude=NaN&longitude=NaN", {}],
    ["?latitude=37.4", {}],
    ["?latitude=37.4&longitude=-6&longitude=-5", {}],
    ["?longitude=-6&latitude=", {}],
    ["", { "x-latitude": "37.4" }],
  ])("rejects %j with %j, and returns the expected form", async (query, headers) => {
    const answer = await operator.service.get(`/features${query}`, headers);
    const { code, detail } = (await answer.json()) as { code: string; detail: string };
    expect([answer.status, code]).toEqual([400, "invalid-context"]);
    expect(detail).toMatch(/\(expected |Send it once/);
  });

  it("names the locator in explanations", async () => {
    const { body } = await operator.post("/explain", { ip: "81.2.69.142", features: ["in-es"] });
    expect(body).toMatchObject({ location: "es/madrid", locations: ["es/madrid", "es"], locatedBy: "geoip" });
    expect(body.features[0]).toMatchObject({
      on: true,
      message: expect.stringContaining('grant "location" (location:es)'),
    });
    const named = await operator.post("/explain", { location: "pt", ip: "81.2.69.142" });
    expect(named.body).toMatchObject({ locations: ["pt"], locatedBy: null });
  });
});

describe("a GeoIP database", () => {
  const rules = (database: string) => `
connections: { features: { kind: sqlite, file: ":memory:" } }
sources: [{ name: place, kind: set, connection: features, key: "location:{location}" }]
locators: [{ kind: geoip, database: "${database}" }]
`;

  it("is reported as a configuration error with its name and the fix if it is invalid", async () => {
    const broken = join(folder, "broken.mmdb");
    writeFileSync(broken, "no database");
    const file = join(folder, "broken.yaml");
    writeFileSync(file, `${rules(broken)}log: { level: loud }\n`);
    const error = await loadConfig(file, {}).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).sentences.join("\n")).toMatch(/log\.level/);
    writeFileSync(file, rules(broken));
    await expect(loadConfig(file, {})).rejects.toThrow(
      `${file}:4:37 locators[0].database: cannot use the GeoIP database ${broken}: not a MaxMind database, or damaged (expected a readable MaxMind database; omit \`database\` for the bundled one)`,
    );
  });

  it("is read again on a reload, and kept if the new one is invalid", async () => {
    const database = join(folder, "fresh.mmdb");
    const file = join(folder, "fresh.yaml");
    const replace = (content: Buffer | string) => {
      writeFileSync(`${database}.new`, content);
      renameSync(`${database}.new`, database);
    };
    replace(located("Madrid"));
    writeFileSync(
      file,
      `sources: [{ name: a, kind: ./place.js }]
locators: [{ kind: geoip, database: "${database}" }]
context: { trustedProxies: [loopback] }
`,
    );
    copyFileSync(join(import.meta.dirname, "../support/place-source.js"), join(folder, "place.js"));
    const env = { TIDEGATE_SOURCE_FOLDERS: folder };
    await using service = await startServiceOn(file, env);
    const ask = async () => (await service.get("/features", { "x-forwarded-for": "81.2.69.142" })).text();
    expect(await ask()).toBe('{"active_features":["es","es/madrid"]}');
    replace("no database");
    await expect(loadConfig(file, env)).rejects.toThrow("fresh.mmdb: ");
    expect(await ask()).toBe('{"active_features":["es","es/madrid"]}');
    replace(located("Sevilla"));
    await service.use(await loadConfig(file, env));
    expect(await ask()).toBe('{"active_features":["es","es/sevilla"]}');
  });
});
