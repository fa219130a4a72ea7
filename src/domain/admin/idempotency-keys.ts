/**
 * Idempotency keys: stores the request of each key for 24 h. Also holds what may happen once, such as a sign-in link.
 */
export interface IdempotencyKeys {
  /**
   * Claims a key for a purpose. Returns false if the key was used for another purpose. Of concurrent claims for
   * different purposes, one succeeds. Rejects if the store does not respond.
   */
  claim(name: string, purpose: string): Promise<boolean>;
  /** The purpose for which a key was claimed; `undefined` if it was not. Rejects if the store does not respond. */
  purposeOf(name: string): Promise<string | undefined>;
}
