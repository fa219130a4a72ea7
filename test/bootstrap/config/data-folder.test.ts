import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { dataFolder } from "../../../src/bootstrap/config/data-folder.ts";

describe("the data folder", () => {
  it("is TIDEGATE_DATA, in a clone and in the package", () => {
    for (const isInstalled of [false, true]) expect(dataFolder({ TIDEGATE_DATA: "/d" }, isInstalled)).toBe("/d");
  });

  it("is `data` in a clone, wherever the command runs", () => {
    expect(dataFolder({ XDG_DATA_HOME: "/x" })).toBe(resolve(import.meta.dirname, "../../../data"));
  });

  it.each([
    [{ XDG_DATA_HOME: "/x", HOME: "/h" }, "/x/tidegate"],
    [{ XDG_DATA_HOME: "relative", HOME: "/h" }, "/h/.local/share/tidegate"],
    [{ XDG_DATA_HOME: "", TIDEGATE_DATA: "", HOME: "/h" }, "/h/.local/share/tidegate"],
    [{ LOCALAPPDATA: "/local", HOME: "/h" }, "/local/tidegate"],
    [{}, join(homedir(), ".local/share/tidegate")],
  ])("is outside the package, in the user's data folder: %j", (env, folder) => {
    expect(dataFolder(env, true)).toBe(folder);
  });
});
