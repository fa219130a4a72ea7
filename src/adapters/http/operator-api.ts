import { bulkRoute } from "./admin/bulk.ts";
import { catalogueRoutes } from "./admin/catalogue.ts";
import { killSwitchRoutes } from "./admin/kill-switch.ts";
import { ruleWindowsRoute } from "./admin/rule-windows.ts";
import { ruleRoutes } from "./admin/rules.ts";
import { sourceRoutes } from "./admin/sources.ts";
import { userRoutes } from "./admin/users.ts";
import { eventExport } from "./events/event-export.ts";
import { eventTail } from "./events/event-tail.ts";
import { events } from "./events/events.ts";
import { eventRoutes } from "./events/revert-event.ts";
import { verifyEvents } from "./events/verify-events.ts";
import { compare } from "./explain/compare.ts";
import { diff } from "./explain/diff.ts";
import { explain } from "./explain/explain.ts";
import { explainSummary } from "./explain/summary.ts";
import { featureRoutes } from "./features/features.ts";
import { holderRoutes } from "./features/holders.ts";
import { impactRoute } from "./features/impact.ts";
import { itemRoutes } from "./feeds/items.ts";
import type { Intersection } from "./intersection.ts";
import { cacheView } from "./operations/cache-view.ts";
import { healthChecks } from "./operations/health.ts";
import { metrics } from "./operations/metrics.ts";
import { proxy } from "./operations/proxy.ts";
import { sessionRoutes } from "./sessions/sessions.ts";
import { reloadRoute } from "./system/reload.ts";
import { systemRoutes } from "./system/system.ts";
import { usageRoutes } from "./usage/usage.ts";
import { userSearchRoutes } from "./users/user-search.ts";

/**
 * The API for operators, in parts. Each registers its routes with the use cases that it names, and returns their types
 * for clients. Routes whose feature key may contain slashes come after those with a suffix behind the key.
 */
export const operatorApi = [
  healthChecks,
  metrics,
  proxy,
  cacheView,
  sessionRoutes,
  reloadRoute,
  systemRoutes,
  usageRoutes,
  impactRoute,
  holderRoutes,
  featureRoutes,
  sourceRoutes,
  itemRoutes,
  ruleRoutes,
  ruleWindowsRoute,
  bulkRoute,
  killSwitchRoutes,
  userSearchRoutes,
  userRoutes,
  catalogueRoutes,
  events,
  eventExport,
  eventTail,
  verifyEvents,
  eventRoutes,
  explain,
  explainSummary,
  compare,
  diff,
] as const;

/** The use cases and options of the whole API for operators. */
export type OperatorApiOptions = Intersection<Parameters<(typeof operatorApi)[number]>[1]>;
