import { collectDefaultMetrics, Registry } from "@prometheus-io/client";

let ofProcess: Registry | undefined;

/** Metrics of the Node.js process: event loop, heap, garbage collection. Collected from the first call on. */
export function processMetrics(): Registry {
  if (!ofProcess) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess, eventLoopUtilizationTimeout: 1_000 });
    // Quantiles of several workers cannot be added.
    ofProcess.removeSingleMetric("nodejs_eventloop_utilization_summary");
  }
  return ofProcess;
}
