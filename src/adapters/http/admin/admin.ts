import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Catalogue } from "../../../application/admin/catalogue.ts";
import type { ChangeSet } from "../../../application/admin/change-set.ts";
import type { ManageRules } from "../../../application/admin/manage-rules.ts";
import type { ManageTokens } from "../../../application/admin/manage-tokens.ts";
import type { SourceSets } from "../../../application/admin/source-sets.ts";
import type { ViewUser } from "../../../application/admin/view-user.ts";
import type { AssessImpact } from "../../../application/features/assess-impact.ts";
import type { FeatureHolders } from "../../../application/features/feature-holders.ts";
import type { FindWindows } from "../../../application/features/find-windows.ts";
import type { ListFeatures } from "../../../application/features/list-features.ts";
import type { ViewFeature } from "../../../application/features/view-feature.ts";
import type { ViewFeedItems } from "../../../application/feeds/view-feed-items.ts";
import type { FindUsers } from "../../../application/users/find-users.ts";
import type { IdempotencyKeys } from "../../../domain/admin/idempotency-keys.ts";
import type { Log } from "../../../infrastructure/logger.ts";
import { featureRoutes } from "../features/features.ts";
import { holderRoutes } from "../features/holders.ts";
import { impactRoute } from "../features/impact.ts";
import { itemRoutes } from "../feeds/items.ts";
import type { Operators } from "../kit/operators.ts";
import { userSearchRoutes } from "../users/search.ts";
import { bulkRoute } from "./bulk.ts";
import { BulkChanges } from "./bulk-item.ts";
import { catalogueRoutes } from "./catalogue.ts";
import { killSwitchRoutes } from "./kill-switch.ts";
import { ruleWindowsRoute } from "./rule-windows.ts";
import { ruleRoutes } from "./rules.ts";
import { SetChanges } from "./set-changes.ts";
import { sourceRoutes } from "./sources.ts";
import { userRoutes } from "./users.ts";

/** The use cases behind the admin API. */
export type AdminUseCases = {
  readonly sets: SourceSets;
  readonly changeSet: ChangeSet;
  readonly listFeatures: ListFeatures;
  readonly viewFeature: ViewFeature;
  readonly assessImpact: AssessImpact;
  readonly featureHolders: FeatureHolders;
  readonly findUsers: FindUsers;
  readonly findWindows: FindWindows;
  readonly catalogue: Catalogue;
  readonly manageRules: ManageRules;
  readonly viewItems: ViewFeedItems;
  readonly viewUser: ViewUser;
  readonly manageTokens: ManageTokens;
  /** Stores the request of each Idempotency-Key; `undefined` if no store is configured for it. */
  readonly idempotencyKeys: IdempotencyKeys | undefined;
};

/** Registers the admin routes under `/admin/v1`. */
export function adminRoutes(app: OpenAPIHono, operators: Operators, use: AdminUseCases, log: Log) {
  const { sets, changeSet, listFeatures, catalogue, idempotencyKeys } = use;
  const changes = new SetChanges(changeSet, listFeatures, use.assessImpact);
  const bulk = new BulkChanges(changes, use.manageRules, catalogue, use.assessImpact);
  return [
    impactRoute(app, operators, use.assessImpact),
    ...holderRoutes(app, operators, use.featureHolders),
    ...featureRoutes(app, operators, listFeatures, use.viewFeature),
    ...sourceRoutes(app, operators, sets, changeSet, changes, idempotencyKeys),
    ...itemRoutes(app, operators, use.viewItems),
    ...ruleRoutes(app, operators, use.manageRules, use.assessImpact, idempotencyKeys),
    ruleWindowsRoute(app, operators, use.manageRules, use.findWindows),
    bulkRoute(app, operators, bulk, idempotencyKeys, log),
    ...killSwitchRoutes(app, operators, sets, changeSet, changes, idempotencyKeys),
    ...userSearchRoutes(app, operators, use.findUsers),
    ...userRoutes(app, operators, use.viewUser, use.manageTokens, idempotencyKeys),
    ...catalogueRoutes(app, operators, catalogue, idempotencyKeys),
  ];
}
