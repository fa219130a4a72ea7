import type { RulesByFeature } from "../domain/admin/rules.ts";
import type { FeatureKey, Json } from "../domain/evaluation/feature.ts";
import { isSameMap } from "./cache/same-map.ts";

type CachedTexts = { readonly texts: ReadonlyMap<FeatureKey, string>; readonly rules: RulesByFeature };

/**
 * Parses rules from the texts of a store. An unchanged text returns the same value, and unchanged texts return the same
 * map, so that one change does not parse ten thousand rules again.
 */
export class RulesOfTexts {
  readonly #valueIn: (text: string) => Json | undefined;
  readonly #cache = new Map<string, CachedTexts>();

  /** `valueIn` returns `undefined` for a deleted rule, and throws for an invalid text. */
  constructor(valueIn: (text: string) => Json | undefined) {
    this.#valueIn = valueIn;
  }

  /** An invalid text becomes `null`. */
  of(collection: string, texts: ReadonlyMap<FeatureKey, string>): RulesByFeature {
    const cached = this.#cache.get(collection);
    if (cached && isSameMap(cached.texts, texts)) return cached.rules;
    const rules = new Map<FeatureKey, Json>();
    for (const [feature, text] of texts) {
      const previous = cached?.texts.get(feature) === text ? cached.rules.get(feature) : undefined;
      const value = previous === undefined ? this.#parsed(text) : previous;
      if (value !== undefined) rules.set(feature, value);
    }
    this.#cache.set(collection, { texts, rules });
    return rules;
  }

  #parsed(text: string): Json | undefined {
    try {
      return this.#valueIn(text);
    } catch {
      return null;
    }
  }
}
