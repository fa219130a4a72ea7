import type { DocumentRecord } from "../../domain/admin/change.ts";
import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, isSameJson, type Json } from "../../domain/evaluation/feature.ts";
import type { RulesByFeature } from "../../domain/evaluation/rules.ts";
import type { History } from "../../domain/events/history.ts";
import { type ChangeEntry, changeEntryOf } from "../events/change-entry.ts";
import { queryLog } from "../events/query-log.ts";

/** The rules of a source, with the last record of each; `records` is omitted if the log does not respond. */
export type RulesWithRecords = {
  readonly rules: RulesByFeature;
  readonly records?: ReadonlyMap<FeatureKey, DocumentRecord>;
};

/** The rules of a source at a time; `undefined` if it has no rules, or if they cannot be read. */
export async function rulesWithRecords(
  { editableRules }: ManagedSource,
  history: History,
  at: Instant,
): Promise<RulesWithRecords | undefined> {
  const { connection, collection, rules } = editableRules ?? {};
  if (connection === undefined || collection === undefined) return undefined;
  try {
    const cached = await rules?.read(collection);
    if (!cached) return undefined;
    const records = await queryLog(() => history.documentsAt(connection, collection, at)).catch(() => undefined);
    return { rules: cached.value, ...(records && { records }) };
  } catch {
    return undefined;
  }
}

/** The rule of a feature, with its last change; for a deleted rule, only the change. */
export function ruleOf(
  feature: FeatureKey,
  { rules, records }: RulesWithRecords,
): { readonly rule?: Json; readonly lastChange?: ChangeEntry } {
  const rule = rules.get(feature);
  const record = records?.get(feature);
  // The log may not have caught up with the store.
  const isRecorded = record !== undefined && isSameJson(record.value, rule ?? null);
  return { ...(rule !== undefined && { rule }), ...(isRecorded && { lastChange: changeEntryOf(record) }) };
}
