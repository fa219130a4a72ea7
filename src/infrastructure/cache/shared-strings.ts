/** Interns strings: equal feature keys share one string. Holds some thousand, then starts over. */
export class SharedStrings {
  readonly #most: number;
  readonly #strings = new Map<string, string>();

  constructor(most: number) {
    this.#most = most;
  }

  of(text: string): string {
    const shared = this.#strings.get(text);
    if (shared !== undefined) return shared;
    if (this.#strings.size === this.#most) this.#strings.clear();
    this.#strings.set(text, text);
    return text;
  }
}
