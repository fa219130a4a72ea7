/** Between the claims of the window that holds a lock, in milliseconds, and from which age on a claim has lapsed. */
const claimMs = 1_000;
const lapsedMs = 10_000;

/**
 * Runs a task in one window of the origin at a time, until `signal` ends; the task ends with its own signal. Browsers
 * offer locks to secure pages only. Over plain HTTP the windows claim the lock in the local storage instead: the next
 * one has it within a second, or ten after a crash, and two may have it for a second.
 */
export function inOneWindow(name: string, signal: AbortSignal, task: (held: AbortSignal) => Promise<void>): void {
  const locks: typeof navigator.locks | undefined = navigator.locks;
  // Rejects if the signal ends before the window has the lock.
  if (locks) return void locks.request(name, { signal }, () => task(signal)).catch(() => undefined);
  const id = String(Math.random());
  let held: AbortController | undefined;
  const release = () => {
    held?.abort();
    held = undefined;
  };
  const claimed = () => localStorage.getItem(name)?.split(" ") ?? [];
  const claim = () => {
    const [holder, at] = claimed();
    if (holder !== id && Date.now() - Number(at) < lapsedMs) return release();
    localStorage.setItem(name, `${id} ${Date.now()}`);
    if (held) return;
    held = new AbortController();
    void task(held.signal);
  };
  const timer = setInterval(claim, claimMs);
  signal.addEventListener("abort", () => {
    clearInterval(timer);
    // Another window may have it by now: this one may have been asleep.
    if (claimed()[0] === id) localStorage.removeItem(name);
    release();
  });
  claim();
}
