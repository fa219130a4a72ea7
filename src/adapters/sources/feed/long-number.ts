/** A number that a JavaScript number would round, as text. */
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

/** Whether the text of a number has digits that its value lacks. */
export const isRounded = (text: string, value: number): boolean =>
  losesDigits(value) || significantDigits(text) !== significantDigits(String(value));

const significantDigits = (text: string): string =>
  text
    .replace(/[eE].*/, "")
    .replace(/\D/g, "")
    .replace(/^0+/, "")
    .replace(/0+$/, "");
