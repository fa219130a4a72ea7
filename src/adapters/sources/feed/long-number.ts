/** A number with more digits than a JavaScript number preserves, as text. */
export class LongNumber {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** Whether a number exceeds the safe integer range, so that several texts parse to it. */
export const losesDigits = (value: number): boolean => Math.abs(value) > Number.MAX_SAFE_INTEGER;
