/**
 * Command timeout of the service. Clients wait for a read at most as long as the cache does, which is less: changes,
 * the relay and reads of the past are better late than unavailable.
 */
export const defaultCommandTimeoutMs = 1_000;
