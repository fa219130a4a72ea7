/** Secrets that all processes of a store share. They are in no event, export or log. */
export interface Secrets {
  /**
   * The secret of a name: 32 random bytes, created on the first read and the same from then on. Rejects if it can be
   * neither read nor created.
   */
  read(name: string): Promise<Uint8Array>;
}

/** Length of a secret, in bytes. */
export const secretBytes = 32;
