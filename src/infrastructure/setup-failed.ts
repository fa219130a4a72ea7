/** A failed requirement of the start: a store, a file, an address. The message states which, why, and the fix. */
export class SetupFailed extends Error {
  override readonly name = "SetupFailed";
}
