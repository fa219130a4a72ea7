import cluster from "node:cluster";
import { hostname } from "node:os";
import packageJson from "../../../package.json" with { type: "json" };
import type { InstanceProcess } from "../../domain/evaluation/invalidation-feed.ts";

/** This process, as other instances list it. */
export const thisProcess: InstanceProcess = {
  host: hostname(),
  instance: cluster.isWorker ? process.ppid : process.pid,
  pid: process.pid,
  version: packageJson.version,
  startedAt: Math.round(performance.timeOrigin),
};
