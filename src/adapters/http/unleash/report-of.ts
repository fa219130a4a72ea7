import type { Context } from "hono";
import type { Report } from "../../../application/unleash/forward-reports.ts";

/** Maximum size of a report, in bytes. */
export const maxReportBytes = 1_048_576;

/** The headers by which an SDK names itself. */
const forwarded = [
  "unleash-appname",
  "unleash-connection-id",
  "unleash-instanceid",
  "unleash-interval",
  "unleash-sdk",
] as const;

/** The report in a request, to be forwarded. */
export function reportOf(c: Context, kind: Report["kind"], body: object): Report {
  const headers = forwarded.flatMap((name) => {
    const value = c.req.header(name);
    return value === undefined ? [] : [[name, value]];
  });
  return { kind, headers: Object.fromEntries(headers), body: JSON.stringify(body) };
}
