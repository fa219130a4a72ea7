import type { FeatureKey, Json } from "../../domain/evaluation/feature.ts";
import type { RulesByFeature } from "../../domain/evaluation/rules.ts";
import { isSameMap } from "./same-map.ts";

type CachedTexts = { readonly texts: ReadonlyMap<FeatureKey, string>; readonly rules: RulesByFeature };

/**
 * Parses rules from the texts of a store. An unchanged text returns the same value, and unchanged texts return the same
 * map, so that one change does not parse ten thousand rules again. `valueIn` returns `undefined` for a deleted rule; an
 * invalid text, for which it throws, becomes `null`.
 */
export function rulesOfTexts(
  valueIn: (text: string) => Json | undefined,
): (collection: string, texts: ReadonlyMap<FeatureKey, string>) => RulesByFeature {
  const cache = new Map<string, CachedTexts>();
  const parsed = (text: string) => {
    try {
      return valueIn(text);
    } catch {
      return null;
    }
  };
  return (collection, texts) => {
    const cached = cache.get(collection);
    if (cached && isSameMap(cached.texts, texts)) return cached.rules;
    const rules = new Map<FeatureKey, Json>();
    for (const [feature, text] of texts) {
      const previous = cached?.texts.get(feature) === text ? cached.rules.get(feature) : undefined;
      const value = previous === undefined ? parsed(text) : previous;
      if (value !== undefined) rules.set(feature, value);
    }
    cache.set(collection, { texts, rules });
    return rules;
  };
}
