/** Secrets that all processes of a store share. They are in no event, export or log. */
export interface Secrets {
  /**
   * The secret of a name, created on the first read and the same from then on: 32 bytes, by default random ones.
   * Rejects if it can be neither read nor created.
   */
  read(name: string, initial?: Uint8Array): Promise<Uint8Array>;
  /** Stores another secret under the name. */
  replace(name: string, secret: Uint8Array): Promise<void>;
}

/** Length of a secret, in bytes. */
export const secretBytes = 32;
