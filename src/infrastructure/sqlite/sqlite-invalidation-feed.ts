import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { confirmationWaitMs } from "../../domain/evaluation/cached-read.ts";
import type { ConfirmingFeed } from "../../domain/evaluation/invalidation-feed.ts";
import { Epochs, readClocks } from "../invalidation/epochs.ts";

const everyMs = 20;

/**
 * Invalidation feed of a SQLite file, for changes by any process. A separate connection reads `PRAGMA data_version` 50
 * times per second. The pragma does not name the changed key, so each change ends an epoch. While the file is lost,
 * nothing is verified; the epoch ends when it is back.
 */
export function sqliteInvalidationFeed(file: string, isLost: () => boolean): ConfirmingFeed & AsyncDisposable {
  const database = new DatabaseSync(file, { readOnly: true });
  const select = database.prepare("PRAGMA data_version");
  const epochs = new Epochs();
  const listeners: (() => void)[] = [];
  let wasLost = false;
  let seen = select.get()?.["data_version"];
  epochs.begin(readClocks());
  const timer = setInterval(check, everyMs).unref();

  function check(): void {
    if (isLost()) {
      wasLost = true;
      return;
    }
    const lease = readClocks();
    let version: typeof seen;
    try {
      version = select.get()?.["data_version"];
    } catch {
      // A failed query verifies nothing: the lease expires, and cached values become stale.
      return;
    }
    if (version === seen && !wasLost) {
      epochs.renew(lease);
      return;
    }
    wasLost = false;
    seen = version;
    epochs.end();
    epochs.begin(lease);
    for (const changed of listeners) changed();
  }

  return {
    get epoch() {
      return epochs.current;
    },
    /** Each change ends an epoch. */
    get generation() {
      return epochs.current;
    },
    isLive: (now) => epochs.isLive(now),
    syncedUntil: (epoch) => epochs.syncedUntil(epoch),
    notify: check,
    /** The number of processes with the file open is unknown. */
    async confirm() {
      await sleep(confirmationWaitMs);
      return { confirmed: 0, missing: undefined };
    },
    /** Nothing connects the processes with the file open. */
    rollCall: async () => ({ processes: [], unnamed: 0, missing: undefined }),
    subscribe: () => {},
    onUnnamedChange: (listener) => void listeners.push(listener),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      database.close();
    },
  };
}
