import { bulkRoutes } from "./admin/bulk.ts";
import { catalogueRoutes } from "./admin/catalogue.ts";
import { killSwitchRoutes } from "./admin/kill-switch.ts";
import { ruleWindowsRoutes } from "./admin/rule-windows.ts";
import { ruleRoutes } from "./admin/rules.ts";
import { sourceRoutes } from "./admin/sources.ts";
import { userRoutes } from "./admin/users.ts";
import { eventDetailsRoutes } from "./events/event-details.ts";
import { eventExportRoutes } from "./events/event-export.ts";
import { eventTailRoutes } from "./events/event-tail.ts";
import { eventRoutes } from "./events/events.ts";
import { verifyEventsRoutes } from "./events/verify-events.ts";
import { compareRoutes } from "./explain/compare.ts";
import { diffRoutes } from "./explain/diff.ts";
import { explainRoutes } from "./explain/explain.ts";
import { explainSummaryRoutes } from "./explain/summary.ts";
import { featureRoutes } from "./features/features.ts";
import { holderRoutes } from "./features/holders.ts";
import { impactRoutes } from "./features/impact.ts";
import { itemRoutes } from "./feeds/items.ts";
import type { Intersection } from "./intersection.ts";
import { cacheRoutes } from "./operations/cache-view.ts";
import { healthRoutes } from "./operations/health.ts";
import { metricsRoutes } from "./operations/metrics.ts";
import { proxyRoutes } from "./operations/proxy.ts";
import { sessionRoutes } from "./sessions/sessions.ts";
import { reloadRoutes } from "./system/reload.ts";
import { systemRoutes } from "./system/system.ts";
import { usageRoutes } from "./usage/usage.ts";
import { userSearchRoutes } from "./users/user-search.ts";

/**
 * The API for operators, in parts. Each registers its routes with the use cases that it names, and returns their types
 * for clients. Routes whose feature key may contain slashes come after those with a suffix behind the key.
 */
export const operatorApi = [
  healthRoutes,
  metricsRoutes,
  proxyRoutes,
  cacheRoutes,
  sessionRoutes,
  reloadRoutes,
  systemRoutes,
  usageRoutes,
  impactRoutes,
  holderRoutes,
  featureRoutes,
  sourceRoutes,
  itemRoutes,
  ruleRoutes,
  ruleWindowsRoutes,
  bulkRoutes,
  killSwitchRoutes,
  userSearchRoutes,
  userRoutes,
  catalogueRoutes,
  eventRoutes,
  eventExportRoutes,
  eventTailRoutes,
  verifyEventsRoutes,
  eventDetailsRoutes,
  explainRoutes,
  explainSummaryRoutes,
  compareRoutes,
  diffRoutes,
] as const;

/** The use cases and options of the whole API for operators. */
export type OperatorApiOptions = Intersection<Parameters<(typeof operatorApi)[number]>[1]>;
