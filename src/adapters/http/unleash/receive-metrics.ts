import type { Context } from "hono";
import type { ForwardReports } from "../../../application/unleash/forward-reports.ts";
import type { CountUsage } from "../../../application/usage/count-usage.ts";
import { jsonBody } from "../routing/json-body.ts";
import { maxReportBytes, reportOf } from "./report-of.ts";
import { UnleashMetrics } from "./unleash-schemas.ts";

/** Counts the usage that an SDK reports, and forwards it in the background. */
export async function receiveMetrics(c: Context, countUsage: CountUsage, reports: ForwardReports): Promise<void> {
  const metrics = await jsonBody(c, UnleashMetrics, maxReportBytes);
  await countUsage.countReport(metrics.bucket?.toggles ?? {});
  reports.receive(reportOf(c, "metrics", metrics));
}
