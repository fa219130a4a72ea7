/**
 * An operation failed on something outside this program: a store, a service, a file. The message states which, why, and
 * the fix. The same operation may succeed later.
 */
export class OperationFailed extends Error {
  override readonly name = "OperationFailed";
}
