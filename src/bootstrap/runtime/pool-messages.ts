import type { ReloadResult } from "../../application/system/reload-config.ts";

/** Message to a worker: a configuration to serve. */
export type ConfigurationMessage = {
  /** The text of a configuration. */
  readonly configuration: string;
  /** Whether other workers already serve, so that this one need not listen before it is ready. */
  readonly othersServe: boolean;
  /** Whether the worker may reject the configuration. If so, the sender waits for the result. */
  readonly isDryRun: boolean;
};

/** Message to a worker: the result of a reload that it requested. */
export type ReloadMessage = { readonly reloaded: { readonly id: string; readonly result: ReloadResult } };

/**
 * Message from a worker: a request for a configuration, its URL, the problems of a configuration on trial, or a request
 * to reload the configuration of all workers.
 */
export type WorkerMessage = {
  readonly reload?: { readonly id: string; readonly isDryRun: boolean };
  readonly requestsConfiguration?: true;
  readonly serving?: string;
  readonly problems?: readonly string[];
};
