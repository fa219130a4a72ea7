import { describe, expect, it } from "vitest";
import { DeclaredReads } from "../../../src/application/evaluation/declared-reads.ts";
import type { ContextField, EvaluationContext } from "../../../src/domain/evaluation/evaluation-context.ts";
import { emptyResult } from "../../../src/domain/evaluation/source-result.ts";

const context: EvaluationContext = Object.freeze({
  at: 7,
  userId: "1",
  locations: ["es"],
  attributes: Object.freeze({ plan: "gold", width: 1280 }),
});

/** Reads a context by a resolver with these declared fields. Returns the value and the reports. */
function reading<T>(varyBy: readonly ContextField[], read: (context: EvaluationContext) => T, given = context) {
  const reports: (readonly ContextField[])[] = [];
  let value: T | undefined;
  const resolve = (received: EvaluationContext) => {
    value = read(received);
    return emptyResult;
  };
  const resolver = DeclaredReads.of({ varyBy, resolve }, (fields) => reports.push(fields));
  void resolver.resolve(given);
  void resolver.resolve(given);
  return { value, reports, varyBy: resolver.varyBy };
}

describe("declared reads", () => {
  it("report an undeclared field once, and add it to varyBy", () => {
    const { value, reports, varyBy } = reading(["locations"], ({ userId, locations }) => [userId, locations]);
    expect(value).toEqual(["1", ["es"]]);
    expect(reports).toEqual([["userId"]]);
    expect(varyBy).toEqual(["locations", "userId"]);
  });

  it("report nothing for declared fields, the time, and attributes that are all declared", () => {
    expect(reading(["userId"], ({ at, userId }) => [at, userId]).reports).toEqual([]);
    expect(reading(["attributes"], ({ attributes = {} }) => JSON.stringify(attributes)).reports).toEqual([]);
    expect(reading(["attributes.plan"], ({ attributes = {} }) => attributes["plan"]).reports).toEqual([]);
  });

  const four = ["userId", "targetingKey", "claimedUserId", "locations", "ip"] as const;
  it.each<[string, (context: EvaluationContext) => unknown, ContextField[][]]>([
    ["in", (given) => "userId" in given, [["userId"]]],
    ["Object.hasOwn", (given) => Object.hasOwn(given, "ip"), [["ip"]]],
    ["Object.keys", (given) => Object.keys(given).length, [[...four]]],
    ["a spread", (given) => ({ ...given }).at, [[...four]]],
    ["a rest pattern", ({ at, ...others }) => others, [[...four]]],
    ["an attribute", ({ attributes }) => attributes?.["plan"], [["attributes.plan"]]],
    ["a missing attribute", ({ attributes }) => attributes?.["none"], [["attributes.none"]]],
    ["the names of attributes", ({ attributes = {} }) => Object.keys(attributes), [["attributes"]]],
  ])("detect %s", (_, read, expected) => {
    expect(reading([], read).reports).toEqual(expected);
  });

  it("give the same values as the context, and attributes even if it has none", () => {
    expect(reading([], (given) => ({ ...given, attributes: { ...given.attributes } })).value).toEqual(context);
    const { value, reports } = reading(["attributes.plan"], ({ attributes }) => attributes === undefined, { at: 0 });
    expect([value, reports]).toEqual([false, []]);
  });

  it("return the resolver unchanged if it varies by all fields", () => {
    const resolver = { resolve: () => emptyResult };
    expect(DeclaredReads.of(resolver, () => {})).toBe(resolver);
  });
});
