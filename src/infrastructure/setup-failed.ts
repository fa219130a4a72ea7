/**
 * Something that an operator has to fix before a start: a file, a folder, an address. The message states which, why,
 * and the fix.
 */
export class SetupFailed extends Error {
  override readonly name = "SetupFailed";
}
