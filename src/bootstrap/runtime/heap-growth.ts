import { constants, type NodeGCPerformanceDetail, PerformanceObserver } from "node:perf_hooks";
import { getHeapStatistics, setFlagsFromString } from "node:v8";

/** Live heap from which growth is limited, in bytes: that of a process with twenty thousand cached users. */
const largeHeap = 56 * 2 ** 20;
/** Growth until the next full collection, in percent. */
const growthPercent = 20;

/**
 * Lets a large heap grow by 20 % until the next full collection. V8's own limit doubles it, and then half of it is
 * garbage: with 100,000 cached users this takes a quarter less resident memory. A small heap keeps V8's limit, because
 * it would be collected too often. The size of the heap is that of live objects only after a full collection.
 */
export function growHeapSlowly(): void {
  let isLimited = false;
  new PerformanceObserver((list) => {
    if (!list.getEntries().some(isFullCollection)) return;
    const isLarge = getHeapStatistics().used_heap_size > largeHeap;
    if (isLarge === isLimited) return;
    isLimited = isLarge;
    setFlagsFromString(`--heap-growing-percent=${isLarge ? growthPercent : 0}`);
  }).observe({ entryTypes: ["gc"] });
}

const isFullCollection = (entry: object): boolean =>
  "detail" in entry && (entry.detail as NodeGCPerformanceDetail).kind === constants.NODE_PERFORMANCE_GC_MAJOR;
