import { describe, expect, it } from "vitest";
import { ChangeSet } from "../../src/application/change-set.ts";
import { LoadDemo } from "../../src/application/load-demo.ts";
import { ManageTokens } from "../../src/application/manage-tokens.ts";
import { ChangeRefused } from "../../src/domain/errors.ts";
import { KeyTemplate } from "../../src/domain/key-template.ts";
import { plainTokenKey } from "../../src/infrastructure/token-key.ts";
import { sqliteStore } from "../support/stores.ts";
import { unlikelyTokens } from "../support/unlikely.ts";

function useCases(...keys: string[]) {
  const { connection } = sqliteStore();
  const stored = keys.map((key, index) => ({
    key: KeyTemplate.parse(key) as KeyTemplate,
    connection: key.startsWith("both") ? `store${index}` : "store",
    limit: 100,
    sets: connection.sets,
    changes: connection.changes,
  }));
  const changeSet = new ChangeSet(stored);
  const manageTokens = new ManageTokens(connection.tokenStore(plainTokenKey()));
  return { connection, changeSet, manageTokens };
}

describe("changing a set", () => {
  it("changes the sets that sources read, and lists them by code point", async () => {
    const { changeSet } = useCases("global_features", "features:user:{userId}");
    await changeSet.execute({ key: "features:user:1", add: ["b", "a", "B"], remove: [] });
    expect(await changeSet.list("features:user:1")).toEqual(["B", "a", "b"]);
    expect(await changeSet.list("global_features")).toEqual([]);
  });

  it.each(["globl_features", "features:user", "features:user:1:x", "features:user:", ""])(
    "refuses the key %j, which no source reads, and says which are",
    async (key) => {
      const { changeSet } = useCases("global_features", "features:user:{userId}");
      const change = changeSet.execute({ key, add: ["a"], remove: [] });
      await expect(change).rejects.toThrow(/no source reads .* in use are: global_features, features:user:\{userId\}/);
    },
  );

  it.each(["", "a b", "é", "<script>alert(1)</script>", "a\u0000", "x".repeat(201), "*"])(
    "refuses to add %j, and adds nothing beside it",
    async (bad) => {
      const { changeSet } = useCases("global_features");
      const change = changeSet.execute({ key: "global_features", add: ["good", bad], remove: [] });
      await expect(change).rejects.toBeInstanceOf(ChangeRefused);
      expect(await changeSet.list("global_features")).toEqual([]);
    },
  );

  it("takes out also what could not be added here", async () => {
    const { changeSet, connection } = useCases("global_features");
    await connection.changes.apply({ key: "global_features", add: ["a b"], remove: [] });
    expect(await changeSet.execute({ key: "global_features", add: [], remove: ["a b"] })).toEqual({
      added: [],
      removed: ["a b"],
    });
  });

  it.each([
    ["features:user:São Paulo", "features:user:São%20Paulo"],
    ["features:user:%41", "features:user:A"],
    ["features:user:{userId}", "features:user:%7BuserId%7D"],
    ["features:user:a%2", "features:user:a%252"],
  ])("refuses the key %j, which no context makes, and says how it is written", async (key, meant) => {
    const { changeSet } = useCases("features:user:{userId}");
    await expect(changeSet.execute({ key, add: ["a"], remove: [] })).rejects.toThrow(`write its key as ${meant}.`);
    expect(await changeSet.execute({ key: meant, add: ["a"], remove: [] })).toEqual({ added: ["a"], removed: [] });
  });

  it("counts a feature once that is named twice", async () => {
    const { changeSet } = useCases("global_features");
    const change = { key: "global_features", add: ["a", "a"], remove: ["b", "b"] };
    expect(await changeSet.execute(change)).toEqual({ added: ["a"], removed: [] });
  });

  it("refuses to make a set larger than its source may read", async () => {
    const { changeSet } = useCases("global_features");
    const features = Array.from({ length: 100 }, (_, index) => `f${index}`);
    await changeSet.execute({ key: "global_features", add: features, remove: [] });
    await changeSet.execute({ key: "global_features", add: ["f1"], remove: [] });
    const change = changeSet.execute({ key: "global_features", add: ["one_more"], remove: [] });
    await expect(change).rejects.toThrow(/would have more than 100 members/);
    await changeSet.execute({ key: "global_features", add: [], remove: ["f1"] });
  });

  it("asks which connection is meant where two have the key", async () => {
    const { changeSet } = useCases("both", "both");
    await expect(changeSet.list("both")).rejects.toThrow(/store0 and store1 both have a set "both"/);
    expect(await changeSet.list("both", "store1")).toEqual([]);
  });

  it("refuses more than 10,000 features at once", async () => {
    const { changeSet } = useCases("global_features");
    const add = Array.from({ length: 10_001 }, (_, index) => `f${index}`);
    await expect(changeSet.execute({ key: "global_features", add, remove: [] })).rejects.toThrow(/split it/);
  });
});

describe("managing tokens", () => {
  it.each(unlikelyTokens)("refuses the token %j, and does not repeat it", async (token) => {
    const { manageTokens } = useCases();
    const refusal = manageTokens.assign(token, "1");
    await expect(refusal).rejects.toBeInstanceOf(ChangeRefused);
    if (token.length > 3) await refusal.catch(({ message }) => expect(message).not.toContain(token));
  });

  it.each(["", "a\nb", "x".repeat(201)])("refuses the user %j", async (userId) => {
    await expect(useCases().manageTokens.assign("1234", userId)).rejects.toBeInstanceOf(ChangeRefused);
  });

  it("says what to do where the configuration has no tokens", async () => {
    await expect(new ManageTokens(undefined).assign("1234", "1")).rejects.toThrow(/add the section tokens/);
  });
});

describe("loading the demo", () => {
  const keys = ["global_features", "active_features", "features:user:{userId}"];

  it("fills an empty store", async () => {
    const { changeSet, manageTokens, connection } = useCases(...keys);
    await new LoadDemo(() => connection.isEmpty(), changeSet, manageTokens).execute(false);
    expect(await changeSet.list("features:user:1")).toEqual(["feature_3", "feature_4"]);
    expect((await connection.tokenResolver(plainTokenKey()).resolve("1234")).value).toBe("1");
  });

  it("refuses a store that holds something, unless told to go on, and then loses nothing", async () => {
    const { changeSet, manageTokens, connection } = useCases(...keys);
    await changeSet.execute({ key: "global_features", add: ["mine"], remove: [] });
    const loadDemo = new LoadDemo(() => connection.isEmpty(), changeSet, manageTokens);
    await expect(loadDemo.execute(false)).rejects.toThrow(/--yes/);
    expect(await changeSet.list("global_features")).toEqual(["mine"]);
    await loadDemo.execute(true);
    expect(await changeSet.list("global_features")).toEqual(["feature_1", "feature_2", "mine"]);
  });
});
