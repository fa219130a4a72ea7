/** Interns strings: equal feature keys share one string. Holds some thousand, then starts over. */
export class SharedStrings {
  readonly #max: number;
  readonly #strings = new Map<string, string>();

  constructor(max: number) {
    this.#max = max;
  }

  of(text: string): string {
    const shared = this.#strings.get(text);
    if (shared !== undefined) return shared;
    if (this.#strings.size === this.#max) this.#strings.clear();
    this.#strings.set(text, text);
    return text;
  }
}
