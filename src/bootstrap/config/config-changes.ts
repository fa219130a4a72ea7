import type { ConfigChanges } from "../../application/system/reload-config.ts";
import { isSameJson, type Json } from "../../domain/evaluation/feature.ts";
import { listIn, mapIn } from "../../infrastructure/entries.ts";
import { yamlIn } from "../../infrastructure/yaml-values.ts";

/** Compares the texts of two valid configurations. Variables are not filled in. */
export function configChanges(before: string, after: string): ConfigChanges {
  const [old, next] = [sectionsOf(before), sectionsOf(after)];
  const names = new Set([...Object.keys(old), ...Object.keys(next)]);
  const isSame = (one: unknown, other: unknown) => isSameJson((one ?? null) as Json, (other ?? null) as Json);
  const [oldSources, sources] = [sourcesOf(old), sourcesOf(next)];
  const kept = [...sources.keys()].filter((name) => oldSources.has(name));
  return {
    sections: [...names].filter((name) => name !== "sources" && !isSame(old[name], next[name])),
    sources: {
      added: [...sources.keys()].filter((name) => !oldSources.has(name)),
      removed: [...oldSources.keys()].filter((name) => !sources.has(name)),
      changed: kept.filter((name) => !isSame(oldSources.get(name), sources.get(name))),
      reordered: [...oldSources.keys()].filter((name) => sources.has(name)).join("\n") !== kept.join("\n"),
    },
  };
}

const sectionsOf = (text: string): Readonly<Record<string, unknown>> => mapIn({ document: yamlIn(text) }, "document");

const sourcesOf = (document: unknown) =>
  new Map(listIn(document, "sources").map((source) => [String(source["name"]), source]));
