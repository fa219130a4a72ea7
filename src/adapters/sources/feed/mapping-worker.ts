import { parentPort, workerData } from "node:worker_threads";
import type { Mapping } from "./mapping.ts";
import { type RawDocument, type ReadItems, readItems } from "./read-items.ts";

/** What the thread is to read. */
export type Task = { readonly document: RawDocument; readonly mapping: Mapping };

/** What it found, but for the items; those follow in parts, each when it is asked for, and then an empty one. */
export type Found = Omit<ReadItems, "items"> | { readonly refused: string };

const atOnce = 100;

function read({ document, mapping }: Task): void {
  try {
    const { items, ...found } = readItems(document, mapping);
    let next = 0;
    parentPort?.on("message", () => {
      parentPort?.postMessage(items.slice(next, next + atOnce));
      next += atOnce;
    });
    parentPort?.postMessage(found);
  } catch (error) {
    parentPort?.postMessage({ refused: error instanceof Error ? error.message : String(error) });
  }
}

read(workerData);
