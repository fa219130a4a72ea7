import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { source } from "../../../../src/adapters/sources/flagd/source.ts";
import { schemaTools } from "../../../../src/bootstrap/config/schema-tools.ts";
import type { EvaluationContext } from "../../../../src/domain/evaluation/evaluation-context.ts";
import type { Json } from "../../../../src/domain/evaluation/feature.ts";
import type { Resolution, SourceResult } from "../../../../src/domain/evaluation/source-result.ts";
import { featureResolverContract } from "../../../contracts/feature-resolver.contract.ts";
import { respondWith, startDocumentServer } from "../../../support/document-server.ts";
import { hosted, hostOn } from "../../../support/source-host.ts";
import { until } from "../../../support/until.ts";

type Options = z.input<ReturnType<typeof source.options>>;

const opened = (options: Options, warnings: unknown[] = []) => {
  const host = hostOn(undefined, { warnings });
  return hosted(source.create(source.options(schemaTools(undefined)).parse(options), host), host);
};

/** A source with flags in its options. */
const inline = (flags: Readonly<Record<string, object>>, others = {}) =>
  opened({ definitions: { flags, ...others } as Options["definitions"] });

const plain = { state: "ENABLED", variants: { on: true, off: false }, defaultVariant: "off" } as const;
const spain = { "==": [{ var: "country" }, "ES"] };
const recent = { sem_ver: [{ var: "app_version" }, ">=", "2.3"] };
const anInstant = Date.parse("2026-11-20T19:00:00.250Z");

/** The resolution of one flag for these attributes. */
async function resolutionOf(
  resolver: ReturnType<typeof opened>,
  attributes: Readonly<Record<string, Json>> = {},
  feature = "flag",
): Promise<Resolution | undefined> {
  return (await resolver.resolve({ at: anInstant, attributes })).features.get(feature);
}

describe("kind flagd", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-flagd-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const flags = {
    new_checkout: { ...plain, targeting: { if: [{ and: [spain, recent] }, "on"] } },
    old_search: plain,
    paused: { ...plain, state: "DISABLED", defaultVariant: "on" },
  };
  const context: EvaluationContext = { at: 0, attributes: { country: "ES", app_version: "2.3.1" } };
  const expected = { context, on: ["new_checkout"], off: ["old_search", "paused"] };
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };

  describe("with inline flags", () => {
    featureResolverContract(async () => ({ resolver: inline(flags), ...expected }));
  });

  describe("with a file", () => {
    featureResolverContract(
      async () => ({ resolver: opened({ file: write("flags.json", JSON.stringify({ flags })) }), ...expected }),
      async () => opened({ file: join(folder, "missing.json") }),
    );
  });

  describe("with a URL", () => {
    featureResolverContract(
      async () => {
        await using server = await startDocumentServer(respondWith(JSON.stringify({ flags })));
        const resolver = opened({ url: server.url });
        await until(() => answers(resolver), "the server was asked");
        await resolver[Symbol.asyncDispose]();
        return { resolver, ...expected };
      },
      async () => opened({ url: "http://127.0.0.1:9" }),
    );
  });

  it.each<[string, Readonly<Record<string, Json>>, boolean]>([
    ["Spain and the version", { country: "ES", app_version: "2.3.0" }, true],
    ["a later version", { country: "ES", app_version: "10.0.0" }, true],
    ["an earlier version", { country: "ES", app_version: "2.2.9" }, false],
    ["another country", { country: "PT", app_version: "2.3.0" }, false],
    ["no version", { country: "ES" }, false],
    ["an invalid version", { country: "ES", app_version: "latest" }, false],
    ["no attributes", {}, false],
  ])("evaluates targeting by attributes: %s", async (_, attributes, on) => {
    expect(await resolutionOf(inline(flags), attributes, "new_checkout")).toMatchObject({ on, value: on });
  });

  it.each<[string, object, Partial<Resolution>]>([
    ["true", {}, { on: true, value: true, variant: "v", reason: "STATIC" }],
    ["false", { variants: { v: false } }, { on: false, value: false, variant: "v", reason: "STATIC" }],
    ["a text", { variants: { v: "blue" } }, { on: true, value: "blue", variant: "v" }],
    ["an empty text", { variants: { v: "" } }, { on: true, value: "" }],
    ["zero", { variants: { v: 0 } }, { on: true, value: 0 }],
    ["a map", { variants: { v: { depth: [1] } } }, { on: true, value: { depth: [1] } }],
    ["no variant", { defaultVariant: undefined }, { on: false, value: null, reason: "DEFAULT" }],
    ["nothing, because it is disabled", { state: "DISABLED" }, { on: false, value: null, reason: "DISABLED" }],
    ["the variant of its targeting", { targeting: { if: [true, "v"] } }, { on: true, reason: "TARGETING_MATCH" }],
    ["its default, without a match", { targeting: { if: [false, "v"] } }, { on: true, reason: "DEFAULT" }],
  ])("returns state and reason of a flag that evaluates to %s", async (_, flag, resolution) => {
    const whole = { state: "ENABLED" as const, variants: { v: true }, defaultVariant: "v", ...flag };
    expect(await resolutionOf(inline({ flag: whole }))).toMatchObject(resolution);
  });

  it("returns the metadata of a flag, merged with that of the flag set", async () => {
    const resolver = inline(
      { flag: { ...plain, metadata: { owner: "search" } } },
      { metadata: { version: "7", owner: "all" } },
    );
    expect((await resolutionOf(resolver))?.metadata).toEqual({ owner: "search", version: "7" });
  });

  it("resolves $evaluators that several flags share", async () => {
    const $evaluators = { spain };
    const resolver = inline({ flag: { ...plain, targeting: { if: [{ $ref: "spain" }, "on"] } } }, { $evaluators });
    expect(await resolutionOf(resolver, { country: "ES" })).toMatchObject({ on: true });
    expect(await resolutionOf(resolver, { country: "PT" })).toMatchObject({ on: false });
  });

  it("distributes fractional variants by targeting key, as flagd does", async () => {
    const targeting = {
      fractional: [
        ["on", 25],
        ["off", 75],
      ],
    };
    const resolver = inline({ flag: { ...plain, targeting } });
    const ids = Array.from({ length: 4_000 }, (_, index) => `user-${index}`);
    const on = ids.filter(
      (targetingKey) => (resolver.resolve({ at: 0, targetingKey }) as SourceResult).features.get("flag")?.on,
    );
    expect(on.length).toBeGreaterThan(900);
    expect(on.length).toBeLessThan(1_100);
    expect((resolver.resolve({ at: 0 }) as SourceResult).features.get("flag")?.on).toBe(false);
  });

  it.each<[string, Omit<EvaluationContext, "at">, object]>([
    ["userId", { userId: "1" }, { "==": [{ var: "userId" }, "1"] }],
    ["targetingKey", { targetingKey: "k" }, { "==": [{ var: "targetingKey" }, "k"] }],
    ["ip", { ip: "192.0.2.1" }, { starts_with: [{ var: "ip" }, "192.0.2."] }],
    ["location", { locations: ["es/madrid", "es"] }, { "==": [{ var: "location" }, "es/madrid"] }],
    ["locations", { locations: ["es/madrid", "es"] }, { in: ["es", { var: "locations" }] }],
  ])("reads %s from the context, not from an attribute of that name", async (name, context, rule) => {
    const resolver = inline({ flag: { ...plain, targeting: { if: [rule, "on"] } } });
    const claimed = Object.values(context).flat()[0] as string;
    const answer = await resolver.resolve({ at: 0, ...context, attributes: { [name]: "other" } });
    expect(answer.features.get("flag")?.on).toBe(true);
    const other = await resolver.resolve({ at: 0, attributes: { [name]: claimed, $flagd: "x", $tidegate: "x" } });
    expect(other.features.get("flag")?.on).toBe(false);
  });

  describe("$flagd.timestamp", () => {
    const before = (second: number) => ({
      ...plain,
      targeting: { if: [{ "<": [{ var: "$flagd.timestamp" }, second] }, "on"] },
    });
    const boundary = Date.parse("2026-11-20T20:00:00Z");

    it("is the evaluated time, past or future", async () => {
      const resolver = inline({ flag: before(boundary / 1_000) });
      const on = async (at: number) => (await resolver.resolve({ at })).features.get("flag")?.on;
      expect([await on(boundary - 1), await on(boundary), await on(0), await on(boundary * 2)]).toEqual([
        true,
        false,
        true,
        false,
      ]);
    });

    it("makes a result valid for one second, and one without it forever", async () => {
      expect((await inline({ flag: before(0) }).resolve({ at: anInstant })).validUntil).toBeUndefined();
      expect((await inline(flags).resolve({ at: anInstant })).validUntil).toBe(Number.POSITIVE_INFINITY);
    });

    it("is not replaced in a variant's value", async () => {
      const value = { var: "$flagd.timestamp" };
      const flag = { state: "ENABLED", variants: { v: value }, defaultVariant: "v" } as const;
      expect((await resolutionOf(inline({ flag })))?.value).toEqual(value);
    });
  });

  it.each<[string, object, readonly string[] | undefined]>([
    ["nothing", { if: [true, "on"] }, []],
    ["an attribute", { if: [spain, "on"] }, ["attributes.country"]],
    [
      "a nested attribute, or a default",
      { "==": [{ var: "a.b" }, { var: ["c", 1] }] },
      ["attributes.a", "attributes.c"],
    ],
    [
      "fractional",
      {
        fractional: [
          ["on", 1],
          ["off", 1],
        ],
      },
      ["targetingKey"],
    ],
    [
      "location, user and address",
      { and: [{ var: "location" }, { var: "userId" }, { var: "ip" }] },
      ["locations", "userId", "ip"],
    ],
    ["flag key and timestamp", { and: [{ var: "$flagd.flagKey" }, { var: "$flagd.timestamp" }] }, []],
    ["a computed name", { var: { cat: ["a", "b"] } }, undefined],
    ["missing attributes", { missing: ["a"] }, undefined],
    ["everything", { var: "" }, undefined],
  ])("varies by the fields that targeting reads: %s", (_, targeting, reads) => {
    const { varyBy: notified } = inline({ flag: { ...plain, targeting } });
    expect(notified).toEqual(reads);
  });

  it("varies by all fields if the flags can change, and by the address only with readsAddress", async () => {
    const targeting = { if: [{ starts_with: [{ var: "ip" }, "192.0.2."] }, "on"] };
    const file = write("reads.json", JSON.stringify({ flags: { flag: { ...plain, targeting } } }));
    const on = async (resolver: ReturnType<typeof opened>) =>
      (await resolver.resolve({ at: 0, ip: "192.0.2.1" })).features.get("flag")?.on;
    const warnings: { fault: string }[] = [];
    const blind = opened({ file }, warnings);
    expect(blind.varyBy).toEqual(["userId", "targetingKey", "locations", "attributes"]);
    expect(await on(blind)).toBe(false);
    expect(warnings).toEqual([{ source: "tested", fault: expect.stringContaining("set readsAddress: true") }]);
    const shown = opened({ file, readsAddress: true }, warnings);
    expect(shown.varyBy).toContain("ip");
    expect(await on(shown)).toBe(true);
    expect(warnings).toHaveLength(1);
  });

  describe("with a file that changes", () => {
    it("reads JSON and YAML", async () => {
      const yaml = "flags:\n  flag: { state: ENABLED, variants: { on: true }, defaultVariant: on }\n";
      expect(await resolutionOf(opened({ file: write("flags.yaml", yaml) }))).toMatchObject({ on: true });
    });

    const shared = `
defaults: &defaults { state: ENABLED, variants: { on: true, off: false }, defaultVariant: on }
flags:
  flag: { <<: *defaults, description: a flag, metadata: { owner: search } }
  paused: { <<: *defaults, state: DISABLED }
`;

    it.each([
      [
        "a byte order mark before JSON",
        `\ufeff${JSON.stringify({ flags: { flag: { ...plain, defaultVariant: "on" } } })}`,
      ],
      ["a byte order mark before YAML", `\ufeff${shared}`],
      ["merge keys", shared],
      [
        "YAML with the first character of JSON",
        `{flags: {flag: {state: ENABLED, variants: {on: true}, defaultVariant: on}}}`,
      ],
      [
        "merge keys in hundreds of flags",
        `${shared}${Array.from({ length: 500 }, (_, index) => `  flag${index}: { <<: *defaults }\n`).join("")}`,
      ],
    ])("reads %s", async (_, text) => {
      const warnings: unknown[] = [];
      const resolver = opened({ file: write("accepted.yaml", text) }, warnings);
      expect([await resolutionOf(resolver), warnings]).toMatchObject([{ on: true, value: true }, []]);
    });

    it("rejects aliases that expand to millions of values", async () => {
      const level = (index: number) =>
        `l${index}: &l${index} { ${Array.from({ length: 10 }, (_, at) => `k${at}: *l${index - 1}`).join(", ")} }\n`;
      const bomb = `l0: &l0 { a: 1 }\n${[1, 2, 3, 4, 5, 6, 7].map(level).join("")}flags: { flag: *l7 }\n`;
      expect(opened({ file: write("bomb.yaml", bomb) }).faults()[0]).toMatch(/more than 1000000 values/);
    });

    it("invalidates its results when the file changes", async () => {
      const file = write("changing.json", JSON.stringify({ flags: { flag: plain } }));
      await using resolver = opened({ file });
      const before = await resolver.resolve({ at: Date.now() });
      expect(before.validUntil).toBe(Number.POSITIVE_INFINITY);
      write("changing.json", JSON.stringify({ flags: { flag: { ...plain, defaultVariant: "on" } } }));
      await until(() => before.dependencies?.[0]?.isCurrent(Date.now()) === false, "the earlier result ends");
      expect(await resolutionOf(resolver)).toMatchObject({ on: true });
    });

    it.each([
      ["is incomplete", '{"flags": {"flag": {"state": "ENAB', /JSON/],
      ["has no flags", '{"error": "no such file"}', /the map `flags` is missing/],
      [
        "has an invalid flag",
        JSON.stringify({ flags: { flag: { ...plain, state: "ON" } } }),
        /no flag is usable: flag "flag": state "ON" is invalid/,
      ],
      ["has no usable flag", '{"flags": {"flag": null}}', /no flag is usable: flag "flag": not a map/],
      ["is invalid YAML", "flags: [", /./],
    ])("keeps the last valid flags when the file %s, and warns", async (_, text, fault) => {
      const file = write("broken.json", JSON.stringify({ flags: { flag: { ...plain, defaultVariant: "on" } } }));
      const warnings: { fault: string }[] = [];
      await using resolver = opened({ file }, warnings);
      const before = await resolver.resolve({ at: Date.now() });
      write("broken.json", text);
      await until(() => before.dependencies?.[0]?.isCurrent(Date.now()) === false, "the fault is noticed");
      expect(await resolutionOf(resolver)).toMatchObject({ on: true });
      expect((await resolver.resolve({ at: 0 })).dependencies?.[0]?.lastError).toBeInstanceOf(Error);
      expect(warnings).toEqual([{ source: "tested", fault: expect.stringMatching(fault) }]);
    });

    it("disables only the flag that has a fault", async () => {
      const text = JSON.stringify({
        flags: {
          flag: { ...plain, defaultVariant: "on" },
          unruly: { ...plain, defaultVariant: "on", targeting: { no_such_rule: [1] } },
          astray: { ...plain, defaultVariant: "on", targeting: { if: [true, "nowhere"] } },
          "\u0001": plain,
          variantless: { ...plain, variants: undefined },
          empty: { ...plain, variants: {} },
          stateless: { ...plain, state: undefined },
          defaulting: { ...plain, defaultVariant: "blue" },
          misspelt: { ...plain, targetting: {}, description: "a flag" },
        },
      });
      const warnings: { fault: string }[] = [];
      const resolver = opened({ file: write("faulty.json", text) }, warnings);
      expect(await resolutionOf(resolver)).toMatchObject({ on: true });
      expect(await resolutionOf(resolver, {}, "unruly")).toMatchObject({
        on: false,
        reason: "DEFAULT",
        metadata: { error: "PARSE_ERROR: Invalid targeting configuration for flag 'unruly'" },
      });
      expect(await resolutionOf(resolver, {}, "astray")).toMatchObject({
        on: false,
        metadata: { error: expect.stringMatching(/^GENERAL: Variant 'nowhere'/) },
      });
      expect(await resolutionOf(resolver, {}, "\u0001")).toBeUndefined();
      expect(await resolutionOf(resolver, {}, "stateless")).toEqual({
        on: false,
        value: null,
        reason: "DEFAULT",
        metadata: { error: "state (missing) is invalid (expected ENABLED or DISABLED)" },
      });
      expect(await resolutionOf(resolver, {}, "misspelt")).toMatchObject({ on: false, variant: "off" });
      const faults = warnings.map(({ fault }) => fault);
      expect(faults).toEqual([
        expect.stringMatching(/^flag "unruly": /),
        expect.stringMatching(/^flag "astray": /),
        expect.stringMatching(/^flag "\\u0001": Invalid feature key/),
        'flag "variantless": variants is missing or empty (expected a map, as in { on: true, off: false })',
        'flag "empty": variants is missing or empty (expected a map, as in { on: true, off: false })',
        'flag "stateless": state (missing) is invalid (expected ENABLED or DISABLED)',
        'flag "defaulting": defaultVariant "blue" is not one of its variants (on, off)',
        'flag "misspelt": flagd ignores "targetting"; write targeting',
      ]);
      expect(resolver.faults()).toEqual(faults);
    });

    it("applies a valid change next to a flag that became invalid", async () => {
      const file = write("mixed.json", JSON.stringify({ flags: { flag: plain, other: plain } }));
      const warnings: { fault: string }[] = [];
      await using resolver = opened({ file }, warnings);
      const on = { ...plain, defaultVariant: "on" };
      write("mixed.json", JSON.stringify({ flags: { flag: on, other: { ...on, state: "on" } } }));
      await until(async () => (await resolutionOf(resolver))?.on === true, "the change is applied");
      expect(await resolutionOf(resolver, {}, "other")).toMatchObject({ on: false });
      expect((await resolver.resolve({ at: 0 })).dependencies?.[0]?.lastError).toBeUndefined();
      expect(warnings).toEqual([{ source: "tested", fault: expect.stringMatching(/^flag "other": state "on"/) }]);
    });

    it("reports at most 20 faults, and the number of further ones", async () => {
      const flags = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`flag${index}`, {}]));
      const file = write("many.json", JSON.stringify({ flags: { ...flags, flag: plain } }));
      const warnings: unknown[] = [];
      const resolver = opened({ file }, warnings);
      expect(warnings).toHaveLength(21);
      expect(resolver.faults().at(-1)).toBe("and 10 more");
    });

    it("reports a file that was never valid", async () => {
      const file = write("gone.json", "{}");
      expect(opened({ file }).faults()).toEqual([`${file} cannot be used: the map \`flags\` is missing`]);
    });
  });

  it("sends the credential of a URL, and polls at the configured interval", async () => {
    await using server = await startDocumentServer(respondWith(JSON.stringify({ flags }), '"1"'));
    await using _ = opened({ url: `${server.url}/flags.json`, authorization: "Bearer s3cret", pollSeconds: 1 });
    await until(() => server.requests.length > 1, "it was asked again");
    expect(server.requests[1]).toMatchObject({
      target: "/flags.json",
      authorization: "Bearer s3cret",
      "if-none-match": '"1"',
    });
  });

  const answers = (resolver: ReturnType<typeof opened>): boolean => {
    try {
      return resolver.resolve({ at: 0 }) !== undefined;
    } catch {
      return false;
    }
  };
});
