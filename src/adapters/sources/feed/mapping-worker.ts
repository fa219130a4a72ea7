import { parentPort, workerData } from "node:worker_threads";
import { errorMessage } from "../../../domain/error-message.ts";
import type { Mapping } from "./mapping.ts";
import { type RawDocument, type ReadItems, readItems } from "./read-items.ts";

/** Input of the worker thread. */
export type Task = { readonly document: RawDocument; readonly mapping: Mapping };

/** First output of the worker thread. The items follow in batches, each on request; an empty batch ends them. */
export type Found = Omit<ReadItems, "items"> | { readonly fault: string };

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
    parentPort?.postMessage({ fault: errorMessage(error) });
  }
}

read(workerData);
