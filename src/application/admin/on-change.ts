/** Callback for the keys that a change affected, or may have affected, called before the change is acknowledged. */
export type OnChange<T = string> = (changed: T) => Promise<void> | void;
