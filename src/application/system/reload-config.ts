/** The differences between two configurations. */
export type ConfigChanges = {
  /** The changed sections of the file, but for `sources`. */
  readonly sections: readonly string[];
  /** The names of sources. `reordered`: whether sources of both are in another order. */
  readonly sources: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly string[];
    readonly reordered: boolean;
  };
};

/**
 * The result of a reload: the differences, or the problems because of which the previous configuration stays active.
 */
export type ReloadResult = { readonly changes: ConfigChanges } | { readonly problems: readonly string[] };

/**
 * Reads the configuration file again, and serves it in all workers. `isDryRun`: only validates it and compares it.
 * Calls are handled one after another.
 */
export type ReloadConfig = (isDryRun: boolean) => Promise<ReloadResult>;
