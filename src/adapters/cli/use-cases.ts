import type { AcceptStores } from "../../application/accept-stores.ts";
import type { AwaitSources } from "../../application/await-sources.ts";
import type { ChangeSet } from "../../application/change-set.ts";
import type { ExplainFeatures } from "../../application/explain-features.ts";
import type { ExportData } from "../../application/export-data.ts";
import type { ImportData } from "../../application/import-data.ts";
import type { LoadDemo } from "../../application/load-demo.ts";
import type { ManageCredentials } from "../../application/manage-credentials.ts";
import type { ManageSettings } from "../../application/manage-settings.ts";
import type { ManageTokens } from "../../application/manage-tokens.ts";
import type { ReadActivity } from "../../application/read-activity.ts";
import type { ResolveFeatures } from "../../application/resolve-features.ts";
import type { TimeZone } from "../../domain/wall-clock.ts";
import type { Attributes } from "../attributes.ts";

/** What the command line can have done. */
export type UseCases = {
  readonly attributes: Attributes;
  /** For commands that evaluate: sources may have no result yet. */
  readonly awaitSources: AwaitSources;
  /** The zone of dates and times without an offset. */
  readonly zone: TimeZone;
  readonly resolveFeatures: ResolveFeatures;
  readonly explainFeatures: ExplainFeatures;
  readonly changeSet: ChangeSet;
  readonly manageSettings: ManageSettings;
  readonly manageTokens: ManageTokens;
  readonly manageCredentials: ManageCredentials;
  readonly loadDemo: LoadDemo;
  readonly acceptStores: AcceptStores;
  readonly readActivity: ReadActivity;
  readonly importData: ImportData;
  readonly exportData: ExportData;
};

/** Runs a task on the configured stores, and closes them when it is done. */
export type OnStores = (task: (use: UseCases) => Promise<void>) => Promise<void>;
