/** The arguments of a command are invalid or contradict each other. The message states the fix. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
