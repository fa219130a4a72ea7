import { type ChangeOptions, isSameRevision, type Revision } from "../../domain/admin/change.ts";
import type { Document } from "../../domain/admin/document-store.ts";
import type { EditableRules, RuleCheck } from "../../domain/admin/editable-rules.ts";
import { ChangeRejected, notGrantable, notServed, RevisionMismatch, UnknownFeature } from "../../domain/errors.ts";
import { type FeatureKey, inOrder, isServedKey, isWritableKey, type Json } from "../../domain/evaluation/feature.ts";
import { callStore } from "./call-store.ts";
import type { EditableSources } from "./editable-sources.ts";
import type { OnChange } from "./on-change.ts";

/** The rule of a feature in a source. */
export type FeatureRule = {
  readonly feature: FeatureKey;
  readonly rule: Json;
  readonly revision: Revision;
  /** Whether the source can evaluate it. Rules that were written outside Tidegate may be invalid. */
  readonly isValid: boolean;
};

/** A rule that may be stored, made by `ManageRules.check`. */
export type AcceptedRule = { readonly source: string; readonly feature: FeatureKey; readonly rule: Json };

/** Reads and changes the rules of sources. */
export class ManageRules {
  readonly #sources: EditableSources;
  readonly #newId: () => string;
  readonly #changed: OnChange;

  /** `changed` is called with each changed collection before the change is acknowledged. */
  constructor(sources: EditableSources, newId: () => string, changed: OnChange = () => {}) {
    this.#sources = sources;
    this.#newId = newId;
    this.#changed = changed;
  }

  /**
   * A page of the stored rules of a source, sorted by code point. `search` is a substring of the feature key,
   * regardless of case. Returns at most `limit` rules after a feature; `more`: there are others. Bypasses the cache.
   * Rejects as `EditableSources` does, and with `SourceUnavailable`.
   */
  async list(
    source: string,
    limit: number,
    search = "",
    after?: FeatureKey,
  ): Promise<{ readonly rules: readonly FeatureRule[]; readonly more: boolean }> {
    const editable = this.#sources.rulesOf(source);
    const all = await callStore(source, () => editable.documents.all(editable.collection));
    const wanted = [...all.keys()].filter((feature) => feature.toLowerCase().includes(search.toLowerCase()));
    const sorted = inOrder(new Set(after === undefined ? wanted : [...wanted, after]));
    const start = after === undefined ? 0 : sorted.indexOf(after) + 1;
    const page = sorted.slice(start, start + limit);
    const rules = page.flatMap((feature) => {
      const document = all.get(feature);
      return document ? [ruleIn(editable, feature, document)] : [];
    });
    return { rules, more: start + limit < sorted.length };
  }

  /** The stored rule of a feature. Bypasses the cache. Rejects as `list` does. */
  async find(source: string, feature: FeatureKey): Promise<FeatureRule | undefined> {
    const editable = this.#sources.rulesOf(source);
    const document = await callStore(source, () => editable.documents.get(editable.collection, feature));
    return document && ruleIn(editable, feature, document);
  }

  /** As `find`, but rejects with `UnknownFeature` if there is no rule. */
  async get(source: string, feature: FeatureKey): Promise<FeatureRule> {
    const found = await this.find(source, feature);
    if (!found) {
      throw new UnknownFeature(
        `Source "${source}" has no rule for this feature. GET /admin/v1/sources/${source}/rules lists its rules.`,
      );
    }
    return found;
  }

  /**
   * Accepts a value as the rule of a feature. Rejects as `EditableSources` does, and with `ChangeRejected` for a key
   * that is not served, a new grant of a key that is not writable, and an invalid value. Reads the store only for a key
   * that is not writable.
   */
  async check(source: string, feature: FeatureKey, value: Json): Promise<AcceptedRule> {
    const { check, grants, isFeature } = this.#sources.rulesOf(source);
    if (!isServedKey(feature)) throw notServed(feature);
    const rule = checkedRule(check, feature, value);
    const isGrant = grants && isFeature(feature);
    if (isGrant && !isWritableKey(feature) && !(await this.find(source, feature))) throw notGrantable(feature);
    return { source, feature, rule };
  }

  /** Checks the precondition of a change. Rejects as the change would. */
  async checkRevision(source: string, feature: FeatureKey, ifRevision: Revision | null | undefined): Promise<void> {
    if (ifRevision === undefined) return;
    const found = await this.find(source, feature);
    if (!isSameRevision(ifRevision ?? undefined, found?.revision)) throw new RevisionMismatch();
  }

  /** Sets or replaces the rule of a feature, known or not. Rejects as `EditableSources` and `DocumentStore` do. */
  async put({ source, feature, rule }: AcceptedRule, options: ChangeOptions): Promise<FeatureRule> {
    const { revision } = await this.#put(source, feature, rule, options);
    return { feature, rule, revision, isValid: true };
  }

  /** Deletes the rule of a feature; returns whether there was one. Rejects as `EditableSources` and `DocumentStore`. */
  async remove(
    source: string,
    feature: FeatureKey,
    options: ChangeOptions,
  ): Promise<{ readonly removed: boolean; readonly revision: Revision }> {
    const { before, revision } = await this.#put(source, feature, null, options);
    return { removed: before !== undefined, revision };
  }

  async #put(source: string, feature: FeatureKey, value: Json, options: ChangeOptions) {
    const { collection, documents } = this.#sources.rulesOf(source);
    const change = { ...options, id: this.#newId(), collection, name: feature, value };
    try {
      return await callStore(source, () => documents.put(change));
    } finally {
      // If the store did not respond, the change may have been made.
      await this.#changed(collection);
    }
  }
}

/** The rule to store for a value. Throws `ChangeRejected` with all its faults. */
export function checkedRule(check: RuleCheck, name: string, value: Json): Json {
  const checked = check(name, value);
  if ("rule" in checked) return checked.rule;
  const sentences = checked.faults.slice(0, 3).map(({ pointer, detail }) => `${pointer || "the rule"} ${detail}`);
  const more = checked.faults.length > sentences.length ? `; and ${checked.faults.length - sentences.length} more` : "";
  throw new ChangeRejected(`${sentences.join("; ")}${more}.`, "validation-failed", checked.faults);
}

const ruleIn = ({ check }: EditableRules, feature: FeatureKey, { value, revision }: Document): FeatureRule => ({
  feature,
  rule: value,
  revision,
  isValid: "rule" in check(feature, value),
});
