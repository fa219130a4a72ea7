import { globSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../../../src/infrastructure/redis");
const scripts = globSync("lua/*.lua", { cwd: root }).filter((file) => file !== join("lua", "prelude.lua"));
const code = globSync("**/*.ts", { cwd: root }).map((file) => readFileSync(join(root, file), "utf8"));

describe.each(scripts)("%s", (file) => {
  it("documents its keys, arguments, reply, and why it is atomic", () => {
    const [head = ""] = readFileSync(join(root, file), "utf8").split(/\n(?!--)/, 1);
    expect([...head.matchAll(/^-- (KEYS:|ARGV:|Reply:|Atomic because) \S/gm)].map(([, part]) => part)).toEqual([
      "KEYS:",
      "ARGV:",
      "Reply:",
      "Atomic because",
    ]);
  });

  it("is run by a store", () => {
    expect(code.some((text) => text.includes(`new Script("${basename(file, ".lua")}"`))).toBe(true);
  });
});
