import { describe, expect, it } from "vitest";
import { reachText } from "../../backoffice/src/features/audience.ts";
import { audienceOf, isHeld } from "../../backoffice/src/features/feature-audience.ts";

type Source = Parameters<typeof audienceOf>[1][number];
const source = (name: string, given: Partial<Source> = {}): Source => ({
  name,
  kind: "set",
  role: "grant",
  gatedBy: [],
  default: null,
  key: name,
  ...given,
});
const rules = { key: null } as const;
const gate = (name: string, given: Partial<Source> = {}) => source(name, { role: "gate", default: "deny", ...given });

const global = source("global");
const user = source("user", { gatedBy: ["active"] });
const share = source("share", { ...rules, kind: "percentage" });
const schedule = source("schedule", { ...rules, kind: "schedule" });
const active = gate("active");
const all = [global, user, share, schedule, active];

const on = { global: false, active: false, user: { users: 12 }, share: { rule: { percentage: 60 }, on: false } };
const reach = (entries: object, sources = all, gates?: readonly Source[]) =>
  reachText(audienceOf({ on: { ...on, ...entries } }, sources, gates));

describe("the audience of a feature in the list", () => {
  it("has those behind a gate only while it is open", () => {
    expect(reach({ active: true })).toBe("12 users and 60\u00a0% of callers");
    expect(reach({ active: false })).toBe("60\u00a0% of callers");
    expect(reach({ active: false }, all, [])).toBe("12 users and 60\u00a0% of callers");
  });

  it("has nobody of a schedule before its window, and nobody of a share of 0 %", () => {
    const window = (isOpen: boolean) => ({ schedule: { rule: { windows: [{}] }, on: isOpen } });
    expect(reach(window(false))).toBe("60\u00a0% of callers");
    expect(reach(window(true))).toBe("60\u00a0% of callers and schedule");
    expect(reach({ share: { rule: { percentage: 0 }, on: false } })).toBe("nobody");
  });

  it.each([
    ["a gate that allows what it does not list", gate("active", { default: "allow" }), false, false],
    ["a gate that is unavailable", active, undefined, false],
    ["a gate without a rule", gate("active", { ...rules, kind: "percentage" }), undefined, true],
    ["a share of 0 %", gate("active", { ...rules, kind: "percentage" }), { rule: { percentage: 0 }, on: false }, true],
    ["a share", gate("active", { ...rules, kind: "percentage" }), { rule: { percentage: 5 }, on: false }, false],
    ["a closed window", gate("active", { ...rules, kind: "schedule" }), { rule: { windows: [] }, on: false }, true],
    ["a feed that denies it", gate("active", { ...rules, kind: "feed" }), false, true],
  ])("is held by %s or not", (_, each, entry, held) => {
    const entries = entry === undefined ? {} : { active: entry };
    expect(isHeld({ on: entries }, user, [each])).toBe(held);
  });
});
