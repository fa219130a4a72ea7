import type { OutputStream } from "./terminal.ts";

const barWidth = 30;
const barEveryMs = 100;
const lineEveryMs = 5_000;

/** Tells on standard error how far a task is: a bar where that is a terminal, else a line every few seconds. */
export class Progress {
  readonly #to: OutputStream;
  readonly #now: () => number;
  #toldAt: number;

  /** `now` is a monotonic clock, in milliseconds. */
  constructor(to: OutputStream, now: () => number = () => performance.now()) {
    this.#to = to;
    this.#now = now;
    this.#toldAt = now();
  }

  /** How much of what is done, of how much where that is known. */
  tell(doing: string, done: number, of?: number): void {
    const now = this.#now();
    if (now - this.#toldAt < (this.#to.isTTY ? barEveryMs : lineEveryMs)) return;
    this.#toldAt = now;
    const counted = of === undefined ? counts(done) : `${counts(done)} of ${counts(of)}`;
    if (!this.#to.isTTY) this.#to.write(`${doing}: ${counted}\n`);
    else this.#to.write(`\r\x1b[K${doing} ${of === undefined ? "" : `${bar(done / of)} `}${counted}`);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#to.isTTY) this.#to.write("\r\x1b[K");
  }
}

/** A number as people read it. */
export const counts = (count: number): string => count.toLocaleString("en");

function bar(part: number): string {
  const full = Math.floor(Math.min(1, part) * barWidth);
  return `[${"#".repeat(full)}${".".repeat(barWidth - full)}]`;
}
