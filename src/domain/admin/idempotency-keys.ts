/** Port: remembers for a day what a name was used for. */
export interface IdempotencyKeys {
  /**
   * Whether a name was not used before, or for the same purpose; from now on it is used for this one. Of several that
   * claim a name at once for different purposes, one is told so. Rejects when the store does not answer.
   */
  claim(name: string, purpose: string): Promise<boolean>;
}
