import { globSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../src");

/** The layers that each layer may import. The composition root `bootstrap` and the entry points may import everything. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  domain: ["domain"],
  application: ["application", "domain"],
  infrastructure: ["infrastructure", "application", "domain"],
  adapters: ["adapters", "infrastructure", "application", "domain"],
};

/** Packages that only these files may import. */
const confined: Readonly<Record<string, RegExp>> = {
  tsyringe: /^bootstrap\/composition\//,
  "reflect-metadata": /^bootstrap\/composition\/container\.ts$/,
  ioredis: /^infrastructure\/redis\//,
  "node:sqlite": /^infrastructure\/(sqlite|event-log)\//,
  "sql-template-tag": /^infrastructure\/event-log\//,
  pg: /^infrastructure\/event-log\//,
  canonicalize: /^infrastructure\/event-log\//,
  "mmdb-lib": /^infrastructure\/location\//,
  "@turf": /^infrastructure\/location\//,
  "@hono": /^adapters\/http\//,
  hono: /^adapters\/http\//,
  "@prometheus-io": /^infrastructure\/metrics\//,
  cockatiel: /^adapters\/sources\/feed\//,
  sax: /^adapters\/sources\/feed\//,
  "@openfeature": /^adapters\/sources\/flagd\//,
  "unleash-client": /^adapters\/sources\/unleash\//,
  "rrule-temporal": /^adapters\/sources\/schedule\//,
  commander: /^(adapters\/cli|bootstrap\/runtime)\//,
};

/** A folder that belongs to one kind of source: only that kind and the composition root may import it. */
const kindFolder = /^adapters\/sources\/[a-z][a-z-]*\//;

/** Files that may not import certain others of their layer. */
const walls: readonly (readonly [from: RegExp, to: RegExp])[] = [
  // The core reads without the rest of the domain, and without the use cases of other areas.
  [/^domain\/evaluation\//, /^domain\/(?!evaluation\/)[^/]+\//],
  [/^application\/evaluation\//, /^application\/(?!(evaluation|async)\/)/],
  [/^application\/admin\//, /^application\/features\//],
  // Stores are independent of each other, and the cache of all of them.
  [/^infrastructure\/sqlite\//, /^infrastructure\/redis\//],
  [/^infrastructure\/(cache|invalidation|stores)\//, /^infrastructure\/(redis|sqlite)\//],
  // Sources, the command line and what they share do without HTTP.
  [/^adapters\/((cli|sources)\/|[^/]+$)/, /^adapters\/http\//],
  // The server and the problems know no protocol.
  [/^adapters\/http\/server\//, /^adapters\/http\/(admin|feeds|ofrep|streams|unleash)\//],
  [/^adapters\/http\/problems\//, /^adapters\/http\/[^/]+\/(?<!problems\/)/],
];

const layerOf = (file: string): string => (file.includes("/") ? (file.split("/")[0] ?? "") : "entry");

function importsOf(code: string): string[] {
  const statements = code.matchAll(
    /^\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|^\s*import\s+"([^"]+)"|import\(\s*"([^"]+)"/gm,
  );
  return [...statements].map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? "");
}

/** All forbidden imports of a file. */
function violations(file: string, code: string): string[] {
  const layer = layerOf(file);
  return importsOf(code).filter((imported) => {
    if (imported.startsWith(".")) {
      const target = relative(root, join(root, dirname(file), imported));
      return !mayImport(file, layer, target);
    }
    const name = imported.startsWith("@") ? imported : (imported.split("/")[0] ?? "");
    if (layer === "domain" || layer === "application") return true;
    const owner = Object.entries(confined).find(([confinedName]) =>
      [name, imported, imported.split("/")[0]].includes(confinedName),
    );
    return owner !== undefined && !owner[1].test(file);
  });
}

function mayImport(file: string, layer: string, target: string): boolean {
  const layers = allowed[layer];
  if (!layers) return true;
  if (target.startsWith("../") || !layers.includes(layerOf(target))) return false;
  if (walls.some(([from, to]) => from.test(file) && to.test(target))) return false;
  const [kind] = kindFolder.exec(target) ?? [];
  return kind === undefined || file.startsWith(kind);
}

const files = globSync("**/*.{ts,tsx}", { cwd: root });

describe("imports", () => {
  it("are read from each file", () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap((file) => importsOf(readFileSync(join(root, file), "utf8"))).length).toBeGreaterThan(150);
  });

  it.each(files)("point inward from %s", (file) => {
    expect(violations(file, readFileSync(join(root, file), "utf8"))).toEqual([]);
  });

  it.each([
    ["domain/planted.ts", `import { Redis } from "ioredis";`],
    ["domain/planted.ts", `import type { Log } from "../infrastructure/logger.ts";`],
    ["domain/planted.ts", `import { createHash } from "node:crypto";`],
    ["application/planted.ts", `import {\n  httpApp,\n} from "../adapters/http/app.ts";`],
    ["application/planted.ts", `export { z } from "zod";`],
    ["infrastructure/redis/planted.ts", `import "../../adapters/http/app.ts";`],
    ["infrastructure/planted.ts", `const x = await import("../adapters/http/app.ts");`],
    ["adapters/http/planted.ts", `import { DiKeys } from "../../bootstrap/composition/di-keys.ts";`],
    ["adapters/sources/planted.ts", `import { Redis } from "ioredis";`],
    ["adapters/cli/planted.ts", `import { OpenAPIHono } from "@hono/zod-openapi";`],
    ["domain/planted.ts", `import { errorsPage } from "../../docs/generate.ts";`],
    ["adapters/http/planted.ts", `import { container } from "tsyringe";`],
    ["infrastructure/redis/planted.ts", `import sql from "sql-template-tag";`],
    ["application/planted.ts", `import pg from "pg";`],
    ["main.ts", `import { injectable } from "tsyringe";`],
    ["adapters/http/planted.ts", `import { storesOf } from "../../bootstrap/composition/stores.ts";`],
    ["adapters/sources/planted.ts", `import { meaningOf } from "./schedule/window-text.ts";`],
    ["domain/evaluation/planted.ts", `import type { FeedItems } from "../feeds/feed-items.ts";`],
    ["domain/evaluation/planted.ts", `import type { EditableSet } from "../admin/editable-set.ts";`],
    ["infrastructure/sqlite/planted.ts", `import { leaseKey } from "../redis/redis-keys.ts";`],
    ["infrastructure/cache/planted.ts", `import { leaseKey } from "../redis/redis-keys.ts";`],
    ["application/evaluation/planted.ts", `import type { ReadKey } from "../admin/read-key.ts";`],
    ["application/admin/planted.ts", `import { hasUsers } from "../features/source-listing.ts";`],
    ["adapters/planted.ts", `import { HttpProblem } from "./http/problems/http-problem.ts";`],
    ["adapters/cli/planted.ts", `import { HttpProblem } from "../http/problems/http-problem.ts";`],
    ["adapters/sources/planted.ts", `import { HttpProblem } from "../http/problems/http-problem.ts";`],
    ["adapters/http/server/planted.ts", `import { bulkPath } from "../ofrep/ofrep-fast-path.ts";`],
    ["adapters/http/problems/planted.ts", `import { cursorOf } from "../routing/cursor.ts";`],
  ])("that point outward are detected in %s: %s", (file, code) => {
    expect(violations(file, code)).toHaveLength(1);
  });

  it.each(files.filter((file) => /^(run-cli\.ts|adapters\/cli\/)/.test(file)))(
    "do not include the process and console in %s",
    (file) => {
      expect(readFileSync(join(root, file), "utf8")).not.toMatch(
        /\b(process|console)(\.\w|\[)|"node:(process|console)"/,
      );
    },
  );

  it("come from folders of at most 16 files", () => {
    const crowded = [...Map.groupBy(files, dirname)].filter(([, all]) => all.length > 16).map(([folder]) => folder);
    expect(crowded).toEqual([]);
  });

  it("name only packages of Node.js and package.json", () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, "../package.json"), "utf8"));
    const names = files.flatMap((file) => importsOf(readFileSync(join(root, file), "utf8")));
    for (const name of names.filter((imported) => !imported.startsWith("."))) {
      const [scope = "", rest] = name.split("/");
      const known = name.startsWith("node:")
        ? builtinModules.includes(name.slice(5)) || builtinModules.includes(name)
        : Object.hasOwn(dependencies, name.startsWith("@") ? `${scope}/${rest}` : scope);
      expect(known, name).toBe(true);
    }
  });
});
