/** Shared strings: equal feature keys are one string. Holds some thousand, then starts over. */
export class SharedStrings {
  readonly #max: number;
  readonly #strings = new Map<string, string>();

  constructor(max: number) {
    this.#max = max;
  }

  get(text: string): string | undefined {
    return this.#strings.get(text);
  }

  /** Returns the string that is shared from now on. */
  add(text: string): string {
    if (this.#strings.size === this.#max) this.#strings.clear();
    // A part of a longer text would keep that text in memory.
    const copy = Buffer.from(text).toString();
    this.#strings.set(copy, copy);
    return copy;
  }
}
