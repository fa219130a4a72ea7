/** Interns strings: equal feature keys share one string. Holds some thousand, then starts over. */
export class SharedStrings {
  readonly #most: number;
  readonly #known = new Map<string, string>();

  constructor(most: number) {
    this.#most = most;
  }

  of(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size === this.#most) this.#known.clear();
    this.#known.set(text, text);
    return text;
  }
}
