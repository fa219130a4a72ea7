/** Receives what was changed, or may have been, before the change is acknowledged. */
export type Changed<T = string> = (changed: T) => Promise<void> | void;
