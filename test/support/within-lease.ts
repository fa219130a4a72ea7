import { vi } from "vitest";
import { RedisInvalidationFeed } from "../../src/infrastructure/redis/redis-invalidation-feed.ts";

/**
 * Returns the result of the first run of `action` in which each Redis lease of this process's services was valid, and
 * no other lease began. On a busy machine a lease may end, and then services read again what they have cached.
 */
export async function withinLease<T>(action: () => Promise<T>): Promise<T> {
  const { isLive, notify } = RedisInvalidationFeed.prototype;
  let isOver = false;
  const watched = [
    vi.spyOn(RedisInvalidationFeed.prototype, "isLive").mockImplementation(function (this: RedisInvalidationFeed, now) {
      const isValid = isLive.call(this, now);
      if (!isValid) isOver = true;
      return isValid;
    }),
    vi.spyOn(RedisInvalidationFeed.prototype, "notify").mockImplementation(function (this: RedisInvalidationFeed, key) {
      if (key === undefined) isOver = true;
      notify.call(this, key);
    }),
  ];
  try {
    for (;;) {
      isOver = false;
      const result = await action();
      if (!isOver) return result;
    }
  } finally {
    for (const spy of watched) spy.mockRestore();
  }
}
