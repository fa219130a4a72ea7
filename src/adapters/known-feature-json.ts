import type { CatalogueEntry } from "../application/admin/catalogue.ts";
import type { KnownFeature } from "../application/admin/list-features.ts";
import { instantText } from "../domain/evaluation/evaluation-context.ts";

/** A known feature in JSON, as HTTP and the command line return it. */
export const knownFeatureJson = ({ feature, on, killed, entry }: KnownFeature) => ({
  feature,
  on: Object.fromEntries(on),
  killed,
  catalogue: entry ? catalogueEntryJson(entry) : null,
});

/** The description of a feature in JSON. */
export const catalogueEntryJson = ({ description, owner, tags, archived, created }: CatalogueEntry) => ({
  description,
  owner,
  tags,
  archived,
  created: instantText(created),
});
