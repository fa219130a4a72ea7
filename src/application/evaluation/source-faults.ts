/** The most faults of a source that are logged and shown to operators. */
const mostFaults = 20;

/** The faults in the data of one source. */
export class SourceFaults {
  readonly #byOrigin = new Map<string, readonly string[]>();
  readonly #found: (fault: string) => void;
  #all: readonly string[] = [];

  /** `found` is called with each new fault. */
  constructor(found: (fault: string) => void) {
    this.#found = found;
  }

  /** The faults of all origins; beyond 20, their number. */
  all(): readonly string[] {
    return this.#all;
  }

  /** Replaces the faults of an origin: a document, or the source itself. */
  replace(origin: string, faults: readonly string[]): void {
    this.#byOrigin.set(origin, faults);
    const before = this.#all;
    this.#all = few([...this.#byOrigin.values()].flat());
    for (const fault of this.#all) if (!before.includes(fault)) this.#found(fault);
  }
}

const few = (faults: readonly string[]): readonly string[] =>
  faults.length <= mostFaults ? faults : [...faults.slice(0, mostFaults), `and ${faults.length - mostFaults} more`];
