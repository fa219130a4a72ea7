import { v7 as uuidv7 } from "uuid";
import { describe, expect, it } from "vitest";
import { Catalogue } from "../../../src/application/admin/catalogue.ts";
import { ChangeSet, type SetChangeRequest } from "../../../src/application/admin/change-set.ts";
import { EditableSources, type SetName } from "../../../src/application/admin/editable-sources.ts";
import { killChange, unkillChange } from "../../../src/application/admin/kill-switch.ts";
import { ManageTokens } from "../../../src/application/admin/manage-tokens.ts";
import { loadDemo } from "../../../src/application/transfer/load-demo.ts";
import type { Revision } from "../../../src/domain/admin/change.ts";
import type { ManagedSource } from "../../../src/domain/admin/managed-source.ts";
import { ChangeRejected, RevisionMismatch, UnknownSource } from "../../../src/domain/errors.ts";
import { KeyTemplate } from "../../../src/domain/evaluation/key-template.ts";
import { emptyResult } from "../../../src/domain/evaluation/source-result.ts";
import { plainTokenKey } from "../../../src/infrastructure/token-key.ts";
import { sqliteStore } from "../../support/stores.ts";
import { oddTokens, unlikelyTokens } from "../../support/unlikely.ts";

const author = { by: "tester" };

/** The use cases over one store, with a source for each key, named after the key's first word, and one without sets. */
function useCases(...keys: string[]) {
  const { connection, put } = sqliteStore();
  const sourceOf = (key: string, index: number): ManagedSource => ({
    name: key.split(":")[0] ?? "",
    kind: "set",
    role: key === "killed" ? "veto" : "grant",
    gatedBy: [],
    default: "deny",
    onFailure: "fail",
    timeoutMs: 1_000,
    resolver: { resolve: () => emptyResult },
    faults: () => [],
    editableSet: {
      key: KeyTemplate.parse(key) as KeyTemplate,
      connection: key === "both" ? `store${index}` : "store",
      limit: 100,
      sets: connection.sets,
      index: connection.index,
      changes: connection.changes,
    },
  });
  const literal: ManagedSource = { ...sourceOf("literal", 0), kind: "static", editableSet: undefined };
  const sets = new EditableSources([literal, ...keys.map(sourceOf)]);
  const notified: string[] = [];
  const changeSet = new ChangeSet(sets, uuidv7, (key) => void notified.push(key));
  const manageTokens = new ManageTokens(connection.tokenStore(plainTokenKey()), uuidv7);
  const catalogue = new Catalogue(connection, uuidv7, Date.now);
  return {
    connection,
    put,
    sets,
    notified,
    changeSet,
    manageTokens,
    catalogue,
    loadDemo: loadDemo(() => connection.isEmpty(), changeSet, manageTokens, catalogue),
    apply: async (change: SetChangeRequest) => {
      const { added, removed } = await changeSet.apply(change, author);
      return { added, removed };
    },
    list: async (name: SetName) => (await changeSet.read(name)).features,
  };
}

const codeOf = (refusal: Promise<unknown>) =>
  refusal.then(
    () => "none",
    ({ code }) => code,
  );

describe("changing a set", () => {
  it("changes the sets that sources read, and lists them by code point", async () => {
    const { apply, list } = useCases("global_features", "features:user:{userId}");
    await apply({ key: "features:user:1", add: ["b", "a", "B"], remove: [] });
    expect(await list({ key: "features:user:1" })).toEqual(["B", "a", "b"]);
    expect(await list({ key: "global_features" })).toEqual([]);
  });

  it.each(["globl_features", "features:user", "features:user:1:x", "features:user:", ""])(
    "rejects the key %j, which no source reads, and names the keys in use",
    async (key) => {
      const { apply } = useCases("global_features", "features:user:{userId}");
      const refusal = apply({ key, add: ["a"], remove: [] });
      await expect(refusal).rejects.toThrow(/No source reads .* in use are: global_features, features:user:\{userId\}/);
    },
  );

  it.each(["", "a b", "é", "<script>alert(1)</script>", "a\u0000", "x".repeat(201), "*"])(
    "rejects adding %j, and adds no other feature of the request",
    async (bad) => {
      const { apply, list } = useCases("global_features");
      const refusal = apply({ key: "global_features", add: ["good", bad], remove: [] });
      expect(await codeOf(refusal)).toBe("invalid-feature-key");
      expect(await list({ key: "global_features" })).toEqual([]);
    },
  );

  it("removes every served key, and no other key by a pattern", async () => {
    const { apply, put, list } = useCases("global_features");
    await put("global_features", ["a b", "active_1"]);
    const remove = (feature: string) => apply({ key: "global_features", add: [], remove: [feature] });
    for (const pattern of ["*", "active_*"]) expect(await remove(pattern)).toEqual({ added: [], removed: [] });
    for (const unserved of ["", "a\u0000", "\ud800", "x".repeat(1_025)])
      expect(await codeOf(remove(unserved))).toBe("invalid-feature-key");
    expect(await remove("a b")).toEqual({ added: [], removed: ["a b"] });
    expect(await list({ key: "global_features" })).toEqual(["active_1"]);
  });

  it("adds no key that is not writable, unless the set contains it", async () => {
    const { apply, put } = useCases("global_features", "killed");
    await put("global_features", ["a b"]);
    expect(await apply({ key: "global_features", add: ["a b", "c"], remove: [] })).toEqual({
      added: ["c"],
      removed: [],
    });
    expect(await codeOf(apply({ key: "global_features", add: ["d e"], remove: [] }))).toBe("invalid-feature-key");
    expect(await apply({ key: "killed", add: ["d e"], remove: [] })).toEqual({ added: ["d e"], removed: [] });
  });

  it.each([
    ["features:user:São Paulo", "features:user:São%20Paulo"],
    ["features:user:%41", "features:user:A"],
    ["features:user:{userId}", "features:user:%7BuserId%7D"],
    ["features:user:a%2", "features:user:a%252"],
  ])("rejects the key %j, which no context builds, and returns its encoded form", async (key, meant) => {
    const { apply } = useCases("features:user:{userId}");
    await expect(apply({ key, add: ["a"], remove: [] })).rejects.toThrow(`Write its key as ${meant}.`);
    expect(await apply({ key: meant, add: ["a"], remove: [] })).toEqual({ added: ["a"], removed: [] });
  });

  it("counts a repeated feature once", async () => {
    const { apply } = useCases("global_features");
    const change = { key: "global_features", add: ["a", "a"], remove: ["b", "b"] };
    expect(await apply(change)).toEqual({ added: ["a"], removed: [] });
  });

  it("rejects a feature that is added and removed", async () => {
    const { apply, list } = useCases("global_features");
    const refusal = apply({ key: "global_features", add: ["a", "b"], remove: ["b"] });
    await expect(refusal).rejects.toThrow("Feature b is in both add and remove.");
    expect(await list({ key: "global_features" })).toEqual([]);
  });

  it("rejects a change that exceeds the limit of the source", async () => {
    const { apply } = useCases("global_features");
    const features = Array.from({ length: 100 }, (_, index) => `f${index}`);
    await apply({ key: "global_features", add: features, remove: [] });
    await apply({ key: "global_features", add: ["f1"], remove: [] });
    const refusal = apply({ key: "global_features", add: ["one_more"], remove: [] });
    await expect(refusal).rejects.toThrow(/would have more than 100 members/);
    await apply({ key: "global_features", add: [], remove: ["f1"] });
  });

  it("requires a connection if two have the key", async () => {
    const { list } = useCases("both", "both");
    await expect(list({ key: "both" })).rejects.toThrow(/The set "both" exists on store0 and store1/);
    expect(await list({ key: "both", connection: "store1" })).toEqual([]);
  });

  it("rejects more than 10,000 features", async () => {
    const { apply } = useCases("global_features");
    const add = Array.from({ length: 10_001 }, (_, index) => `f${index}`);
    const refusal = apply({ key: "global_features", add, remove: [] });
    expect(await codeOf(refusal)).toBe("change-too-large");
  });

  it("invalidates a set before it returns, even after a failed change", async () => {
    const { apply, notified, connection } = useCases("global_features");
    await apply({ key: "global_features", add: ["a"], remove: [] });
    expect(notified).toEqual(["global_features"]);
    await connection[Symbol.asyncDispose]();
    await expect(apply({ key: "global_features", add: [], remove: ["a"] })).rejects.toThrow();
    expect(notified).toHaveLength(2);
  });
});

describe("naming a set by its source", () => {
  const keys = ["global_features", "features:user:{userId}", "location:{location}"];

  it("finds the set of a context", async () => {
    const { apply, list } = useCases(...keys);
    await apply({ source: "location", context: { location: "São Paulo" }, add: ["samba"], remove: [] });
    expect(await list({ key: "location:São%20Paulo" })).toEqual(["samba"]);
    await apply({ source: "global_features", add: ["a"], remove: [] });
    expect(await list({ source: "global_features" })).toEqual(["a"]);
  });

  it.each<[SetName, string]>([
    [{ source: "features" }, "Missing userId"],
    [{ source: "features", context: { location: "madrid" } }, "Missing userId"],
    [{ source: "location", context: { location: "a", userId: "1" } }, "Unexpected userId"],
    [{ source: "global_features", context: { location: "a" } }, "Unexpected location"],
    [{ source: "features", context: { userId: "" } }, "Invalid userId"],
    [{ source: "features", context: { userId: "a\nb" } }, "Invalid userId"],
    [{ source: "features", context: { userId: "x".repeat(201) } }, "Invalid userId"],
    [{ source: "features", context: { userId: "\ud800" } }, "Invalid userId"],
  ])("rejects %j", async (name, reason) => {
    const { list } = useCases(...keys);
    await expect(list(name)).rejects.toThrow(reason);
    expect(await codeOf(list(name))).toBe("validation-failed");
  });

  it("rejects unknown sources and sources without sets", async () => {
    const { list } = useCases(...keys);
    await expect(list({ source: "globl" })).rejects.toBeInstanceOf(UnknownSource);
    await expect(list({ source: "globl" })).rejects.toThrow("literal, global_features, features, location");
    expect(await codeOf(list({ source: "literal" }))).toBe("not-changeable");
  });
});

describe("a preview of a change", () => {
  it("returns the difference without a change or a record", async () => {
    const { apply, changeSet, list, connection } = useCases("global_features");
    await apply({ key: "global_features", add: ["a", "b"], remove: [] });
    const [before] = await connection.changes.revisions(["global_features"]);
    const change = { source: "global_features", add: ["b", "c"], remove: ["a", "z"] };
    expect(await changeSet.preview(change, undefined)).toEqual({
      key: "global_features",
      added: ["c"],
      removed: ["a"],
    });
    expect(await list({ key: "global_features" })).toEqual(["a", "b"]);
    expect(await connection.changes.revisions(["global_features"])).toEqual([before]);
  });

  it("is rejected as the change would be", async () => {
    const { apply, changeSet } = useCases("global_features");
    const preview = (add: string[], ifRevision?: Revision | null) =>
      changeSet.preview({ source: "global_features", add, remove: [] }, ifRevision);
    await apply({ key: "global_features", add: ["a"], remove: [] });
    const { revision } = await changeSet.read({ source: "global_features" });
    expect(await codeOf(preview(["a b"]))).toBe("invalid-feature-key");
    await expect(preview(["b"], null)).rejects.toBeInstanceOf(RevisionMismatch);
    expect(await preview(["b"], revision)).toMatchObject({ added: ["b"] });
    await apply({ key: "global_features", add: ["c"], remove: [] });
    await expect(preview(["b"], revision)).rejects.toBeInstanceOf(RevisionMismatch);
  });
});

describe("the kill switch", () => {
  it("is the first veto over a fixed set, and restores the previous state", async () => {
    const { apply, sets, list } = useCases("global_features", "killed");
    expect(await apply(killChange(sets, "a"))).toEqual({ added: ["a"], removed: [] });
    expect(await list({ key: "killed" })).toEqual(["a"]);
    expect(await apply(unkillChange(sets, "a"))).toEqual({ added: [], removed: ["a"] });
  });

  it("is missing without a veto over a fixed set, with a configuration hint", async () => {
    const { sets } = useCases("global_features");
    expect(() => killChange(sets, "a")).toThrow('key: "tidegate:killed", role: veto }');
  });
});

describe("managing tokens", () => {
  it.each(unlikelyTokens)("rejects the token %j without repeating it", async (token) => {
    const { manageTokens } = useCases();
    const refusal = manageTokens.assign(token, "1", author);
    await expect(refusal).rejects.toBeInstanceOf(ChangeRejected);
    if (token.length > 3) await refusal.catch(({ message }) => expect(message).not.toContain(token));
  });

  it.each(oddTokens)("accepts the token %j", async (token) => {
    const { manageTokens } = useCases();
    await manageTokens.assign(token, "1", author);
    expect(await manageTokens.revoke(token, author)).toBe("1");
  });

  it.each(["", "a\nb", "x".repeat(201)])("rejects the user %j", async (userId) => {
    await expect(useCases().manageTokens.assign("1234", userId, author)).rejects.toBeInstanceOf(ChangeRejected);
  });

  it("returns a hint if the configuration has no tokens", async () => {
    const manageTokens = new ManageTokens(undefined, uuidv7);
    await expect(manageTokens.assign("1234", "1", author)).rejects.toThrow(/Add the section `tokens`/);
    expect(await manageTokens.list("1")).toEqual([]);
  });

  it("revokes a token by id for its user only", async () => {
    const { manageTokens } = useCases();
    const { tokenId } = await manageTokens.assign("1234", "1", author);
    expect(await manageTokens.revokeById(tokenId, "2", author)).toBe(false);
    expect(await manageTokens.list("1")).toMatchObject([{ id: tokenId, by: "tester" }]);
    expect(await manageTokens.revokeById(tokenId, "1", author)).toBe(true);
    expect(await manageTokens.list("1")).toEqual([]);
  });
});

describe("loading the demo", () => {
  const keys = ["global_features", "active_features", "features:user:{userId}"];

  it("fills an empty store", async () => {
    const { loadDemo, catalogue, connection, list } = useCases(...keys);
    await loadDemo(false, author);
    expect((await catalogue.get("feature_3"))?.entry).toMatchObject({ owner: "Checkout", tags: ["beta"] });
    expect(await list({ key: "features:user:1" })).toEqual(["feature_3", "feature_4"]);
    expect((await connection.tokenResolver(plainTokenKey()).resolve("1234")).value).toBe("1");
  });

  it("rejects a store with data unless confirmed, and then keeps the data", async () => {
    const { apply, loadDemo, list } = useCases(...keys);
    await apply({ key: "global_features", add: ["mine"], remove: [] });
    await expect(loadDemo(false, author)).rejects.toThrow(/--yes/);
    expect(await list({ key: "global_features" })).toEqual(["mine"]);
    await loadDemo(true, author);
    expect(await list({ key: "global_features" })).toEqual(["feature_1", "feature_2", "mine"]);
  });
});
