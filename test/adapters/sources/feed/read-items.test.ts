import { describe, expect, it } from "vitest";
import type { Mapping } from "../../../../src/adapters/sources/feed/mapping.ts";
import { type Format, readItems } from "../../../../src/adapters/sources/feed/read-items.ts";
import { billionLaughs } from "../../../support/bombs.ts";

const mapping = (changes: Partial<Mapping> = {}): Mapping => ({
  feed: "tested",
  at: "shows/show",
  id: "{id}",
  title: "name",
  window: { start: "from", end: "to", zone: "Europe/Madrid" },
  features: ["show:{id}"],
  conditions: {},
  prices: [],
  metadata: {},
  ...changes,
});
/** Reads a text in chunks that split characters. */
function read(text: string | Uint8Array, format: Format | undefined, changes: Partial<Mapping> = {}, contentType = "") {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const chunks = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, index) =>
    bytes.slice(index * 7, index * 7 + 7),
  );
  return readItems({ chunks, contentType, format }, mapping(changes));
}
const xml = (inner: string) => `<?xml version="1.0"?><shows version="1">${inner}</shows>`;
const show = (more = "", inner = "", name = "A") =>
  `<show id="1" name="${name}" from="2026-06-01T20:00:00" to="2026-06-01T22:00:00" ${more}>${inner}</show>`;

describe("XML", () => {
  it("maps attributes, elements and texts", () => {
    const inner = `<zone><price currency="EUR"> 12.50 </price></zone><zone><price>7</price></zone><organizer>Ünï &amp; <![CDATA[<Co>]]></organizer>`;
    const { items } = read(xml(show("", inner)), "xml", {
      prices: ["zone/price"],
      metadata: { organizer: "organizer", currency: "zone/price/currency", none: "zone/none", version: "../version" },
    });
    expect(items).toMatchObject([
      { id: "1", minPrice: 7, maxPrice: 12.5, metadata: { organizer: "Ünï & <Co>", currency: "EUR", version: "1" } },
    ]);
    expect(Object.keys(items[0]?.metadata ?? {})).toEqual(["organizer", "currency", "version"]);
  });

  it("gives an item the values of its ancestors", () => {
    const text = `<shows><group>${show()}<mode>online</mode></group><group><mode>offline</mode>${show().replace('"1"', '"2"')}</group></shows>`;
    const { items } = read(text, "xml", { at: "shows/group/show", conditions: { "../mode": ["online"] } });
    expect(items.map(({ id, isOffered }) => [id, isOffered])).toEqual([
      ["1", true],
      ["2", false],
    ]);
  });

  it("may have no items, but needs their parent element", () => {
    expect(read("<shows/>", "xml").items).toEqual([]);
    expect(() => read("<events/>", "xml")).toThrow("has no shows");
    expect(() => read("<html><body>Sorry</body></html>", "xml")).toThrow("has no shows");
  });

  it.each([
    ["a DOCTYPE", `<!DOCTYPE shows><shows/>`, /has a DOCTYPE/],
    ["a billion laughs", billionLaughs, /has a DOCTYPE/],
    ["an external entity", `<!DOCTYPE shows [<!ENTITY x SYSTEM "file:///etc/passwd">]>${xml("&x;")}`, /has a DOCTYPE/],
    ["an unknown entity", xml("&x;"), /not well-formed XML/],
    ["an element that does not end", "<shows><show>", /not well-formed XML/],
    ["ends that are crossed", "<shows><show></shows></show>", /not well-formed XML/],
    ["an attribute without quotes", "<shows id=1/>", /not well-formed XML/],
    ["two tops", "<shows/><shows/>", /not well-formed XML/],
    ["text after the end", "<shows/>more", /not well-formed XML/],
    ["no XML", "nothing of the kind", /not well-formed XML/],
    ["nothing", "", /not well-formed XML|has no shows/],
    ["JSON", "{}", /not well-formed XML/],
    ["a hundred levels", `${"<shows>".repeat(200_000)}`, /nested deeper than 100 levels/],
  ])("is rejected with %s", (_, text, fault) => {
    expect(() => read(text, "xml")).toThrow(fault);
  });

  it("is read in its declared encoding", () => {
    const text = `<?xml version="1.0" encoding="ISO-8859-1"?><shows>${show("", "", "Ñandú")}</shows>`;
    expect(read(Buffer.from(text, "latin1"), "xml").items[0]?.title).toBe("Ñandú");
    expect(() => read(Buffer.from(xml(show("", "", "Ñ")), "latin1"), "xml")).toThrow("is not in utf-8");
    expect(() => read('<?xml version="1.0" encoding="EBCDIC-X"?><shows/>', "xml")).toThrow(/unknown encoding/);
    expect(read(`\ufeff${xml(show("", "", "Ñ"))}`, "xml").items[0]?.title).toBe("Ñ");
  });

  it.each(["utf-16le", "utf-16be"])("is read in %s, with a byte order mark and without", (encoding) => {
    for (const format of ["xml", "json"] as const) {
      const item = { id: 1, name: "Ñandú 🎭", from: "2026-06-01", to: "2026-06-01" };
      const text =
        format === "json"
          ? JSON.stringify({ shows: { show: [item] } })
          : `<?xml version="1.0" encoding="UTF-16"?><shows>${show("", "", "Ñandú 🎭")}</shows>`;
      for (const mark of ["\ufeff", ""]) {
        const bytes = Buffer.from(mark + text, "utf16le");
        const encoded = encoding === "utf-16be" ? bytes.swap16() : bytes;
        for (const contentType of [
          `application/${format}`,
          "text/plain; charset=utf-8",
          "application/octet-stream",
          "",
        ]) {
          expect(read(encoded, undefined, {}, contentType).items[0]?.title).toBe("Ñandú 🎭");
        }
      }
    }
  });

  it.each(["text/plain", "Text/Plain; charset=utf-8", "application/octet-stream", ""])(
    "is distinguished from JSON by the first character for the content type %j",
    (contentType) => {
      expect(read(`\n ${xml(show())}`.trim(), undefined, {}, contentType).items).toHaveLength(1);
      expect(read(`  \n{"shows":{"show":[]}}`, undefined, {}, contentType).items).toEqual([]);
      expect(() => read("Sorry", undefined, {}, contentType)).toThrow("is neither JSON nor XML");
      expect(() => read("", undefined, {}, contentType)).toThrow("is neither JSON nor XML");
    },
  );

  it("cannot access object prototypes", () => {
    const { items } = read(xml(show('constructor="y"', "<toString>z</toString>")), "xml", {
      metadata: {
        proto: "__proto__",
        constructor: "constructor",
        text: "toString",
        value: "valueOf",
        own: "hasOwnProperty",
      },
    });
    expect(Object.entries(items[0]?.metadata ?? {})).toEqual([
      ["constructor", "y"],
      ["text", "z"],
    ]);
  });
});

describe("JSON", () => {
  const item = { id: 1, name: "A", from: "2026-06-01T20:00:00", to: "2026-06-01T22:00:00" };
  const json = (value: unknown, changes: Partial<Mapping> = {}) => read(JSON.stringify(value), "json", changes);

  it("maps nested lists and a top-level list", () => {
    expect(json({ shows: [[{ show: item }], { show: [{ ...item, id: 2 }] }] }).items.map(({ id }) => id)).toEqual([
      "1",
      "2",
    ]);
    expect(json([item], { at: "." }).items).toHaveLength(1);
    expect(json([{ shows: { show: item } }]).items).toHaveLength(1);
    expect(json({ shows: [] }).items).toEqual([]);
  });

  it("is rejected without a value at the path", () => {
    expect(() => json({ other: 1 })).toThrow("has no shows/show");
    expect(() => json({ shows: { show: "text" } })).toThrow("has no items at shows/show");
    expect(() => json("text", { at: "." })).toThrow("has no items");
    expect(() => json(null)).toThrow("has no shows/show");
  });

  it("keeps the digits of ids that a number would round", () => {
    const ids = [
      ...["2868860079149422351", "2868860079149422352", "-9007199254740993", "9007199254740992.5", "1e400"],
      ...["0.12345678901234567890", "0.12345678901234567891", "12345678.12345678901", "1e-400"],
    ];
    const text = ids.map((id) => JSON.stringify({ ...item, id: 0 }).replace('"id":0', `"id":${id},"by":{"id":${id}}`));
    const { items } = read(`{"shows":{"show":[${text}]}}`, "json", {
      features: ["show:{id}"],
      title: "id",
      conditions: { "by/id": ["2868860079149422352"] },
      metadata: { organizer: "by/id" },
    });
    expect(items.map(({ id, title, metadata }) => [id, title, metadata["organizer"]])).toEqual(
      ids.map((id) => [id, id, id]),
    );
    expect(items.map(({ features }) => features)).toEqual(ids.map((id) => [`show:${id}`]));
    expect(new Set(items.map(({ uuid }) => uuid)).size).toBe(ids.length);
    expect(items.map(({ isOffered }) => isOffered)).toEqual(ids.map((id) => id === "2868860079149422352"));
  });

  it("rounds a price with more decimals than a number has", () => {
    const priced = JSON.stringify({ ...item, price: 0 }).replace('"price":0', '"price":0.1000000000000000055511151');
    expect(read(`{"shows":{"show":[${priced}]}}`, "json", { prices: ["price"] }).items[0]?.maxPrice).toBe(0.1);
  });

  it.each(["9007199254740993", '"9007199254740993"', "-1e16", "1e400"])(
    "rejects only the item with the price %s",
    (price) => {
      const priced = JSON.stringify({ ...item, price: 0 }).replace('"price":0', `"price":${price}`);
      const other = JSON.stringify({ ...item, id: 2, price: 9007199254740991 });
      const { items, faults } = read(`{"shows":{"show":[${priced},${other}]}}`, "json", { prices: ["price"] });
      expect(items.map(({ id, maxPrice }) => [id, maxPrice])).toEqual([["2", 9007199254740991]]);
      expect(faults).toEqual([{ id: "1", fault: expect.stringContaining("price beyond 2^53") }]);
    },
  );

  it("does not count brackets in texts as depth", () => {
    const name = `${'"[{\\'.repeat(200)}`;
    expect(json({ shows: { show: { ...item, name } } }).items[0]?.title).toBe(name);
    expect(() => read(`{"shows":"\\\\",${'"a":['.repeat(200)}`, "json")).toThrow(/nested deeper than 100/);
    expect(() => read('{"shows":"no end', "json")).toThrow("is invalid JSON");
  });

  it("cannot access object prototypes", () => {
    const { items } = read(
      `{"shows":{"show":${JSON.stringify(item).replace("{", '{"__proto__":{"polluted":"yes"},')}}}`,
      "json",
      { metadata: { inherited: "constructor/name", proto: "__proto__/polluted" } },
    );
    expect(items[0]?.metadata).toEqual({ proto: "yes" });
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("the times of items", () => {
  const between = (from: string, to: string, zone = "Europe/Madrid") => {
    const { items, faults } = read(
      JSON.stringify({
        shows: {
          show: [
            { id: 1, name: "A", from, to },
            { id: 2, name: "B", from: "2026-01-01", to: "2026-01-01" },
          ],
        },
      }),
      "json",
      { window: { start: "from", end: "to", zone } },
    );
    const [item] = items;
    if (item?.id !== "1") return faults[0]?.fault;
    return [item.start, item.end].map(({ at, date, time }) => `${new Date(at).toISOString()} ${date} ${time}`);
  };

  it("are local to the zone without an offset, and shown in the zone", () => {
    expect(between("2026-06-01T20:00:00", "2026-06-01 22:30")).toEqual([
      "2026-06-01T18:00:00.000Z 2026-06-01 20:00:00",
      "2026-06-01T20:30:00.000Z 2026-06-01 22:30:00",
    ]);
    expect(between("2026-06-01T18:00:00Z", "2026-06-02T00:30:00+05:30")).toEqual([
      "2026-06-01T18:00:00.000Z 2026-06-01 20:00:00",
      "2026-06-01T19:00:00.000Z 2026-06-01 21:00:00",
    ]);
  });

  it("can be dates, which mean whole days, even of 23 or 25 hours", () => {
    expect(between("2026-03-29", "2026-03-29")).toEqual([
      "2026-03-28T23:00:00.000Z 2026-03-29 null",
      "2026-03-29T22:00:00.000Z 2026-03-29 null",
    ]);
    expect(between("2026-10-25", "2026-10-25")).toEqual([
      "2026-10-24T22:00:00.000Z 2026-10-25 null",
      "2026-10-25T23:00:00.000Z 2026-10-25 null",
    ]);
  });

  it.each([
    "2021-06-31T20:00:00",
    "2021-02-29",
    "2026-13-01",
    "2026-06-01T24:30:00",
    "1622577600",
    "",
    "tomorrow",
    "2026-06-01T20:00:00+25:00",
    "2026-W10",
  ])("are rejected if they do not exist or have another format: %j", (moment) => {
    expect(between("2020-01-01", moment)).toMatch(/invalid time|has no end/);
  });
});
