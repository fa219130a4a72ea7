/** Lifetime of the stored response of an idempotency key, in seconds. */
export const onceSeconds = 86_400;
