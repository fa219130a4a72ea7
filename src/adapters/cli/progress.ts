import type { OutputStream } from "./terminal.ts";

const barWidth = 30;
const barEveryMs = 100;
const lineEveryMs = 5_000;

/** Reports the progress of a task on standard error: a bar on a terminal, otherwise a line every 5 s. */
export class Progress {
  readonly #to: OutputStream;
  readonly #now: () => number;
  #printedAt: number;

  /** `now` is a monotonic clock, in milliseconds. */
  constructor(to: OutputStream, now: () => number = () => performance.now()) {
    this.#to = to;
    this.#now = now;
    this.#printedAt = now();
  }

  /** Reports `done` of `of` units; without `of`, the total is unknown. `doing` names the task. */
  report(phase: string, done: number, of?: number): void {
    const now = this.#now();
    if (now - this.#printedAt < (this.#to.isTTY ? barEveryMs : lineEveryMs)) return;
    this.#printedAt = now;
    const counted = of === undefined ? counts(done) : `${counts(done)} of ${counts(of)}`;
    if (!this.#to.isTTY) this.#to.write(`${phase}: ${counted}\n`);
    else this.#to.write(`\r\x1b[K${phase} ${of === undefined ? "" : `${bar(done / of)} `}${counted}`);
  }

  /** Erases the bar. */
  end(): void {
    if (this.#to.isTTY) this.#to.write("\r\x1b[K");
  }
}

/** A number with thousands separators. */
export const counts = (count: number): string => count.toLocaleString("en");

function bar(part: number): string {
  const full = Math.floor(Math.min(1, part) * barWidth);
  return `[${"#".repeat(full)}${".".repeat(barWidth - full)}]`;
}
