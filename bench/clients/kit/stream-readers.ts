import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import type { Order, Report } from "./readers.ts";

/** Clients with open event streams, in a process of their own. */
export class StreamReaders implements Disposable {
  readonly #process: ChildProcess = fork(resolve(import.meta.dirname, "readers.ts"));

  async follow(order: Order): Promise<Report> {
    const reported = once(this.#process, "message") as Promise<[Report]>;
    this.#process.send(order);
    return (await reported)[0];
  }

  [Symbol.dispose](): void {
    this.#process.kill("SIGKILL");
  }
}
