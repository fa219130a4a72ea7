/** A number of more digits than JavaScript's numbers keep, as it is written. */
export class LongNumber {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** Whether a number is so large that it may stand for others too. */
export const losesDigits = (value: number): boolean => Math.abs(value) > Number.MAX_SAFE_INTEGER;
