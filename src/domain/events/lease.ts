/**
 * Lease: one of several processes does a job. It saves work and is not a lock: two processes may hold it for a moment,
 * so the job must be idempotent.
 */
export type Lease = {
  /**
   * Acquires or renews the lease for some milliseconds, by default 3 s. Returns whether this process holds it. Rejects
   * if the store does not answer.
   */
  hold(forMs?: number): Promise<boolean>;
  /** Releases the lease, so that another process need not wait until it expires. */
  release(): Promise<void>;
};
