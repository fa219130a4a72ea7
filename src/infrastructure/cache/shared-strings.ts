/**
 * One string in the place of many that are equal: the names of features, of which each user has a few. It knows some
 * thousand, and begins anew when there are more.
 */
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
