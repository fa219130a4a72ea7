/** Something that is needed to start cannot be had: a store, a file, an address. The message says which, why, and what to do. */
export class SetupFailed extends Error {
  override readonly name = "SetupFailed";
}
