/** One thing wrong with a configuration: where, which value, what is wrong and what to do. */
export type Problem = {
  /** `file:line:column`, or the environment variable the value came from. */
  readonly place: string;
  /** The path of the value, as in `sources[1].key`; empty where the whole file is meant. */
  readonly path: string;
  /** What is wrong; and, after a semicolon, the way out. */
  readonly fault: string;
};

/** Takes note of a problem: the path of a value, and its fault. */
export type ReportProblem = (path: readonly PropertyKey[], fault: string) => void;

/** A configuration cannot be used. The message lists everything that is wrong with it, a line each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** What is wrong, a sentence each. */
  readonly sentences: readonly string[];

  constructor(file: string, problems: readonly Problem[]) {
    const sentences = problems.map(({ place, path, fault }) => `${place}${path && ` ${path}`}: ${fault}`);
    super([`${file} cannot be used:`, ...sentences].join("\n  "));
    this.sentences = sentences;
  }
}
