import type { WorkerReadiness } from "../../application/system/check-instance.ts";
import type { RecentTraffic } from "../../application/system/recent-traffic.ts";
import type { ReloadConfig } from "../../application/system/reload-config.ts";
import type { WorkerReport } from "../../application/system/worker-report.ts";
import type { InstanceChannel } from "../../infrastructure/invalidation/instance-channel.ts";
import type { Log } from "../../infrastructure/logger.ts";
import type { InstanceMetrics } from "../../infrastructure/metrics/instance-metrics.ts";
import type { WorkerReports } from "../../infrastructure/workers/worker-reports.ts";

/** Process-wide objects that are shared by successive configurations. */
export type ProcessContext = {
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly stopping: AbortSignal;
  readonly metrics: InstanceMetrics;
  readonly instance: InstanceChannel;
  readonly reports: WorkerReports<WorkerReport>;
  readonly readiness: WorkerReports<WorkerReadiness>;
  readonly traffic: RecentTraffic;
  readonly reloadConfig: ReloadConfig;
};
