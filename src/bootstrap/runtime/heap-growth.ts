import { getHeapStatistics, setFlagsFromString } from "node:v8";

const checkEveryMs = 2_000;
/** Heap from which growth is limited, in bytes: that of a process with some ten thousand cached users. */
const largeHeap = 80 * 2 ** 20;
/** Growth until the next full collection, in percent. */
const growthPercent = 25;

/**
 * Lets a large heap grow by 25 % until the next full collection. V8's own limit doubles it, and then half of it is
 * garbage: with 100,000 cached users this takes a quarter less resident memory. A small heap keeps V8's limit, because it
 * would be collected too often.
 */
export function growHeapSlowly(): void {
  let isLimited = false;
  setInterval(() => {
    const isLarge = getHeapStatistics().used_heap_size > largeHeap;
    if (isLarge === isLimited) return;
    isLimited = isLarge;
    setFlagsFromString(`--heap-growing-percent=${isLarge ? growthPercent : 0}`);
  }, checkEveryMs).unref();
}
