import type { AcceptStores } from "../../application/admin/accept-stores.ts";
import type { ChangeSet } from "../../application/admin/change-set.ts";
import type { EditableSources } from "../../application/admin/editable-sources.ts";
import type { ManageCredentials } from "../../application/admin/manage-credentials.ts";
import type { ManageRules } from "../../application/admin/manage-rules.ts";
import type { ManageTokens } from "../../application/admin/manage-tokens.ts";
import type { AwaitSources } from "../../application/evaluation/await-sources.ts";
import type { EvaluateFeatures } from "../../application/evaluation/evaluate-features.ts";
import type { ReadEvents } from "../../application/events/read-events.ts";
import type { ExplainFeatures } from "../../application/explain/explain-features.ts";
import type { ListFeatures } from "../../application/features/list-features.ts";
import type { RevertEvent } from "../../application/reverts/revert-event.ts";
import type { ExportData } from "../../application/transfer/export-data.ts";
import type { ImportData } from "../../application/transfer/import-data.ts";
import type { LoadDemo } from "../../application/transfer/load-demo.ts";
import type { TimeZone } from "../../domain/targeting/wall-clock.ts";
import type { Attributes } from "../attributes.ts";

/** The use cases behind the command line. */
export type UseCases = {
  readonly attributes: Attributes;
  /** For commands that evaluate: waits until each source has a first result. */
  readonly awaitSources: AwaitSources;
  /** The zone of dates and times without an offset. */
  readonly zone: TimeZone;
  readonly evaluateFeatures: EvaluateFeatures;
  readonly explainFeatures: ExplainFeatures;
  readonly editableSources: EditableSources;
  readonly listFeatures: ListFeatures;
  readonly changeSet: ChangeSet;
  readonly manageRules: ManageRules;
  readonly manageTokens: ManageTokens;
  readonly manageCredentials: ManageCredentials;
  /** A link text that signs in once, with the first credential; `undefined` without one, or without a store. */
  readonly signInLink: () => Promise<string | undefined>;
  /** The URL of a service with this configuration, if one runs on this machine. */
  readonly serviceUrl: string;
  readonly loadDemo: LoadDemo;
  readonly acceptStores: AcceptStores;
  readonly readEvents: ReadEvents;
  readonly revertEvent: RevertEvent;
  readonly importData: ImportData;
  readonly exportData: ExportData;
};
