/** A problem of a configuration: place, value, fault and fix. */
export type ConfigProblem = {
  /** `file:line:column`, or the environment variable of the value. */
  readonly place: string;
  /** The path of the value, for example `sources[1].key`. Empty for the whole file. */
  readonly path: string;
  /** The fault and, after a semicolon, the fix. */
  readonly fault: string;
};

/** Reports a problem: the path of a value, and its fault. */
export type ReportProblem = (path: readonly PropertyKey[], fault: string) => void;

/** An invalid configuration. The message lists all problems, one per line. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** The problems, one sentence each. */
  readonly sentences: readonly string[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    const sentences = problems.map(({ place, path, fault }) => `${place}${path && ` ${path}`}: ${fault}`);
    super([`${file} cannot be used:`, ...sentences].join("\n  "));
    this.sentences = sentences;
  }
}
