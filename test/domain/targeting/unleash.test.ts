import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { bucketOf, includes } from "../../../src/domain/targeting/share.ts";

const { default: FlexibleRollout }: typeof import("unleash-client/lib/strategy/flexible-rollout-strategy.js") =
  createRequire(import.meta.url)("unleash-client/lib/strategy/flexible-rollout-strategy.js");
const unleash = new FlexibleRollout();

describe("A share of whole percents", () => {
  it.each(["new_menu", "happy_hour", "search:2", "a"])(
    "includes the same ids as Unleash does, of the group %s",
    (groupId) => {
      const ids = Array.from(
        { length: 3_000 },
        (_, index) => [`${index}`, `user-${index * 7919}`, crypto.randomUUID()][index % 3] ?? "",
      );
      for (const percent of [0, 1, 2, 7, 25, 33, 50, 57, 75, 99, 100]) {
        const parameters = { rollout: percent, stickiness: "userId", groupId };
        const theirs = ids.filter((userId) => unleash.isEnabled(parameters, { userId }));
        expect(ids.filter((id) => includes(percent * 100, bucketOf(groupId, id)))).toEqual(theirs);
      }
    },
  );
});
