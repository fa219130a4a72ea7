import { isSameRevision, type Revision } from "../../domain/admin/change.ts";
import type { Document } from "../../domain/admin/document-store.ts";
import { ChangeRejected, notGrantable, notServed, RevisionMismatch, UnknownFeature } from "../../domain/errors.ts";
import { type FeatureKey, inOrder, isServedKey, isWritableKey, type Json } from "../../domain/evaluation/feature.ts";
import type { ChangeAuthor } from "./author.ts";
import { callStore } from "./call-store.ts";
import type { Changed } from "./changed.ts";
import type { CheckedRules, RuleCheck, SourceSets } from "./source-sets.ts";

/** What a source keeps of a feature. */
export type FeatureRule = {
  readonly feature: FeatureKey;
  readonly rule: Json;
  readonly revision: Revision;
  /** Whether the source heeds it; not where somebody wrote it into the store who does not know how. */
  readonly isValid: boolean;
};

/** Reads and changes what sources keep of single features. */
export class ManageRules {
  readonly #sources: SourceSets;
  readonly #newId: () => string;
  readonly #changed: Changed;

  /** `changed` is called with each changed collection before the change is acknowledged. */
  constructor(sources: SourceSets, newId: () => string, changed: Changed = () => {}) {
    this.#sources = sources;
    this.#newId = newId;
    this.#changed = changed;
  }

  /**
   * What a source keeps, as the store has it now, sorted by code point: of features in which `search` stands somewhere, in whatever
   * case, after a feature, at most `limit`; `more` says whether there are others behind them. Rejects as `SourceSets` does, and
   * with `SourceUnavailable`.
   */
  async list(
    source: string,
    limit: number,
    search = "",
    after?: FeatureKey,
  ): Promise<{ readonly settings: readonly FeatureRule[]; readonly more: boolean }> {
    const kept = this.#sources.settingsOf(source);
    const all = await callStore(source, () => kept.documents.all(kept.collection));
    const wanted = [...all.keys()].filter((feature) => feature.toLowerCase().includes(search.toLowerCase()));
    const sorted = inOrder(new Set(after === undefined ? wanted : [...wanted, after]));
    const start = after === undefined ? 0 : sorted.indexOf(after) + 1;
    const page = sorted.slice(start, start + limit);
    const settings = page.flatMap((feature) => {
      const document = all.get(feature);
      return document ? [ruleIn(kept, feature, document)] : [];
    });
    return { settings, more: start + limit < sorted.length };
  }

  /** What a source keeps of a feature, as the store has it now. Rejects as `list` does. */
  async find(source: string, feature: FeatureKey): Promise<FeatureRule | undefined> {
    const kept = this.#sources.settingsOf(source);
    const document = await callStore(source, () => kept.documents.get(kept.collection, feature));
    return document && ruleIn(kept, feature, document);
  }

  /** The same; rejects with `UnknownFeature` where it keeps nothing. */
  async get(source: string, feature: FeatureKey): Promise<FeatureRule> {
    const found = await this.find(source, feature);
    if (!found) {
      throw new UnknownFeature(
        `The source "${source}" keeps nothing of this feature; GET /admin/v1/sources/${source}/settings lists what it keeps.`,
      );
    }
    return found;
  }

  /**
   * The setting that a value stands for. Rejects as `SourceSets` does, and with `ChangeRefused` for a key that is not served, a new
   * grant of a key that is not writable, and an invalid value. Reads the store only for such a key.
   */
  async check(source: string, feature: FeatureKey, value: Json): Promise<Json> {
    const { check, grants } = this.#sources.settingsOf(source);
    if (!isServedKey(feature)) throw notServed(feature);
    const setting = checkedRule(check, value);
    if (grants && !isWritableKey(feature) && !(await this.find(source, feature))) throw notGrantable(feature);
    return setting;
  }

  /** Rejects as a change for that revision would. */
  async checkRevision(source: string, feature: FeatureKey, ifRevision: Revision | null | undefined): Promise<void> {
    if (ifRevision === undefined) return;
    const found = await this.find(source, feature);
    if (!isSameRevision(ifRevision ?? undefined, found?.revision)) throw new RevisionMismatch();
  }

  /** Keeps this of a feature, known or not yet, in the place of what was kept before. Rejects as `check` and `DocumentStore` do. */
  async put(source: string, feature: FeatureKey, value: Json, author: ChangeAuthor): Promise<FeatureRule> {
    const setting = await this.check(source, feature, value);
    const { revision } = await this.#put(source, feature, setting, author);
    return { feature, rule: setting, revision, isValid: true };
  }

  /** Keeps nothing of a feature any more; answers whether there was anything. Rejects as `SourceSets` and `DocumentStore` do. */
  async remove(
    source: string,
    feature: FeatureKey,
    author: ChangeAuthor,
  ): Promise<{ readonly removed: boolean; readonly revision: Revision }> {
    const { before, revision } = await this.#put(source, feature, null, author);
    return { removed: before !== undefined, revision };
  }

  async #put(source: string, feature: FeatureKey, value: Json, author: ChangeAuthor) {
    const { collection, documents } = this.#sources.settingsOf(source);
    const change = { ...author, id: this.#newId(), collection, name: feature, value };
    try {
      return await callStore(source, () => documents.put(change));
    } finally {
      // Whether it was made is not known where the store did not answer.
      await this.#changed(collection);
    }
  }
}

/** What is kept where somebody writes this down. Throws `ChangeRefused` with all that is wrong with it. */
export function checkedRule(check: RuleCheck, value: Json): Json {
  const checked = check(value);
  if ("setting" in checked) return checked.setting;
  const sentences = checked.faults.slice(0, 3).map(({ pointer, detail }) => `${pointer || "the setting"} ${detail}`);
  const more = checked.faults.length > sentences.length ? `; and ${checked.faults.length - sentences.length} more` : "";
  throw new ChangeRejected(`${sentences.join("; ")}${more}.`, "validation-failed", checked.faults);
}

const ruleIn = ({ check }: CheckedRules, feature: FeatureKey, { value, revision }: Document): FeatureRule => ({
  feature,
  rule: value,
  revision,
  isValid: "setting" in check(value),
});
