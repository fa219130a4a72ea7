import type { CatalogueEntry } from "../application/admin/catalogue.ts";
import type { ChangeEntry } from "../application/events/change-entry.ts";
import type { KnownFeature } from "../application/features/list-features.ts";
import type { SourceStatus } from "../application/features/source-status.ts";
import type { DecidingSource, ViewedFeature } from "../application/features/view-feature.ts";
import { instantText } from "../domain/evaluation/evaluation-context.ts";
import { instantJson } from "./instant-json.ts";

/** A known feature in JSON, as HTTP and the command line return it. */
export const knownFeatureJson = ({ feature, state, stale, on, killed, entry, lastChange }: KnownFeature) => ({
  feature,
  state,
  stale,
  on: Object.fromEntries(on),
  killed,
  catalogue: entry ? catalogueEntryJson(entry) : null,
  lastChange: lastChange ? featureChangeJson(lastChange) : null,
});

/** The last change of a feature in JSON. */
export const featureChangeJson = ({ event, at, by, note, origin }: ChangeEntry) => ({
  event,
  at: instantText(at),
  by,
  note: note ?? null,
  origin,
});

/** The description of a feature in JSON. */
export const catalogueEntryJson = ({ description, owner, tags, archived, created }: CatalogueEntry) => ({
  description,
  owner,
  tags,
  archived,
  created: instantText(created),
});

/** The state of a source in JSON. */
export const sourceStatusJson = (source: string, { state, stale, asOf, error }: SourceStatus) => ({
  source,
  state,
  stale,
  asOf: instantJson(asOf),
  error: error ?? null,
});

/** A feature with the part of each source in JSON. */
export const viewedFeatureJson = ({ sources, audience, ...known }: ViewedFeature) => ({
  ...knownFeatureJson(known),
  audience,
  sources: sources.map(decidingSourceJson),
});

const decidingSourceJson = ({ source, status, presence, reach, result, lastChange }: DecidingSource) => ({
  ...sourceStatusJson(source.name, status),
  kind: source.kind,
  role: source.role,
  gatedBy: source.gatedBy,
  default: source.role === "gate" ? source.default : null,
  editable: source.editableSet ? ("set" as const) : source.editableRules ? ("rules" as const) : null,
  fields: source.editableSet?.key.fields ?? [],
  on: presence ?? null,
  reach: reach.kind,
  result: result ?? null,
  lastChange: lastChange ? featureChangeJson(lastChange) : null,
});
