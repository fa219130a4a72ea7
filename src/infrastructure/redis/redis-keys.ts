/**
 * The keys under which Tidegate keeps what it knows of a key: they share its hash slot (the tag in braces is the whole key), so that
 * one script may use them all in a Redis Cluster too.
 */
export const bookkeeping = (key: string) => ({
  /** A hash: `epoch`, `number`, `at` (milliseconds), `run` (the server's run id), `digest` (of a personal set). */
  head: `tidegate:head:{${key}}`,
  /** A set: what a set that is not personal held when it was recorded last. */
  shadow: `tidegate:shadow:{${key}}`,
  /** A list of records as JSON, oldest first. It vanishes when it is empty. */
  outbox: `${outboxPrefix}{${key}}`,
  /** A string, for a day: the answer to the change that was made under this name. */
  once: (name: string) => `tidegate:once:{${key}}:${name}`,
});

export const outboxPrefix = "tidegate:outbox:";
