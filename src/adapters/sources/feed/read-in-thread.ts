import { once } from "node:events";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Item } from "../../../domain/feeds/item.ts";
import type { Reading } from "../../../domain/feeds/remote-feed.ts";
import type { Found, Task } from "./mapping-worker.ts";

/** Heap of the thread in megabytes: a minimum, and the share per megabyte of the document. */
const heap = { min: 64, forEachOne: 16 };

/**
 * Reads a document in a worker thread of its own, so that parsing does not block the event loop. Transfers the document
 * to it. Rejects if the document as a whole is unusable, and if the signal aborts.
 */
export async function readInThread(task: Task, signal: AbortSignal): Promise<Omit<Reading, "validators">> {
  const bytes = task.document.chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  const worker = new Worker(new URL(`./mapping-worker${extname(import.meta.filename)}`, import.meta.url), {
    workerData: task,
    transferList: task.document.chunks.map(({ buffer }) => buffer as ArrayBuffer),
    resourceLimits: { maxOldGenerationSizeMb: heap.min + Math.ceil((heap.forEachOne * bytes) / 1e6) },
    // Does not inherit the main thread's options, such as those of a debugger or test runner.
    execArgv: [],
  });
  worker.unref();
  const end = () => worker.terminate();
  signal.addEventListener("abort", end, { once: true });
  try {
    const found = (await messageOf(worker, signal)) as Found;
    if ("fault" in found) throw new Error(`the document ${found.fault}`);
    return { ...found, items: partsOf(worker, signal) };
  } catch (error) {
    await end();
    throw error;
  }
}

async function* partsOf(worker: Worker, signal: AbortSignal): AsyncGenerator<readonly Item[]> {
  try {
    while (true) {
      worker.postMessage("next");
      const items = (await messageOf(worker, signal)) as readonly Item[];
      if (items.length === 0) return;
      yield items;
    }
  } finally {
    await worker.terminate();
  }
}

async function messageOf(worker: Worker, signal: AbortSignal): Promise<unknown> {
  const listening = new AbortController();
  const ended = AbortSignal.any([signal, listening.signal]);
  worker.ref();
  try {
    const exit = once(worker, "exit", { signal: ended }).then(() => {
      throw new Error("the document cannot be read: its thread ended");
    });
    const [message] = await Promise.race([once(worker, "message", { signal: ended }), exit]);
    return message;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY") {
      throw new Error("the document needs too much memory for its size");
    }
    throw error;
  } finally {
    worker.unref();
    listening.abort();
  }
}
