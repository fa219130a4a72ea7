/**
 * Port: lets one of many processes do what need not be done by all. It saves work and guards nothing: for a
 * moment two may hold it, so what is done under it must bear being done twice.
 */
export interface Lease {
  /** Takes or renews it for some seconds; answers whether this process holds it. Rejects when the store does not answer. */
  hold(): Promise<boolean>;
  /** Gives it up, so that another need not wait until it runs out. */
  release(): Promise<void>;
}
