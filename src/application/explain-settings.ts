import { type DocumentRecord, externalAuthor } from "../domain/change.ts";
import type { Instant } from "../domain/evaluation-context.ts";
import { type FeatureKey, isSameJson, type Json } from "../domain/feature.ts";
import type { History } from "../domain/history.ts";
import type { Source } from "../domain/source.ts";
import type { SettingsByFeature } from "../domain/stored-settings.ts";
import { askLog } from "./ask-log.ts";
import type { TurnedBy } from "./explain-features.ts";

/** What a source keeps of features, and the last record of each; `records` is left out where the log does not answer. */
export type SettingsKept = {
  readonly settings: SettingsByFeature;
  readonly records?: ReadonlyMap<FeatureKey, DocumentRecord>;
};

/** What a source keeps at a moment; `undefined` where it keeps nothing of single features, or cannot tell. */
export async function settingsKept(
  { resolver }: Source,
  history: History,
  at: Instant,
): Promise<SettingsKept | undefined> {
  const { connection, collection, settings } = resolver.settings ?? {};
  if (connection === undefined || collection === undefined) return undefined;
  try {
    const held = await settings?.read(collection);
    if (!held) return undefined;
    const records = await askLog(() => history.documentsAt(connection, collection, at)).catch(() => undefined);
    return { settings: held.value, ...(records && { records }) };
  } catch {
    return undefined;
  }
}

/** What a source keeps of a feature, and since when; since when it keeps nothing, where it once did. */
export function settingOf(
  feature: FeatureKey,
  { settings, records }: SettingsKept,
): { readonly setting?: Json; readonly turned?: TurnedBy } {
  const setting = settings.get(feature);
  const record = records?.get(feature);
  // The log may not have caught up with the store.
  const isTold = record !== undefined && isSameJson(record.value, setting ?? null);
  return { ...(setting !== undefined && { setting }), ...(isTold && { turned: turnedBy(record) }) };
}

const turnedBy = ({ id, by, at, note }: DocumentRecord): TurnedBy => ({
  event: id,
  by,
  at,
  origin: by === externalAuthor ? "external" : "change",
  ...(note !== undefined && { note }),
});
