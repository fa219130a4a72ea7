import { Redis } from "ioredis";

export const userCount = 10_000;
const globalCount = 20;
const activeCount = 50;
const featureNames = 100;

/** A steady stream of numbers from 0 to 1, the same in every run (Numerical Recipes' linear congruence). */
export function* dice(seed: number): Generator<number, never> {
  let state = seed;
  while (true) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

export const tokenOf = (user: number): string => `token-${String(user).padStart(8, "0")}-0123456789abcdef`;

/** Fills a Redis: 20 global features, 50 active of 100, and users with 10 to 20 features each (15 on average). */
export async function fill(url: string, users = userCount): Promise<void> {
  const redis = new Redis(url);
  const names = Array.from({ length: featureNames }, (_, index) => `feature_${index}`);
  await redis.sadd("global_features", ...names.slice(0, globalCount));
  await redis.sadd("active_features", ...names.slice(globalCount, globalCount + activeCount));
  const throws = dice(42);
  for (let first = 0; first < users; first += 1_000) {
    const batch = redis.pipeline();
    for (let user = first; user < Math.min(users, first + 1_000); user++) {
      const own = Array.from(
        { length: 10 + (user % 11) },
        () => names[Math.floor(throws.next().value * featureNames)] ?? "",
      );
      batch.sadd(`features:user:${user}`, ...own).set(`token:${tokenOf(user)}`, `${user}`);
    }
    await batch.exec();
  }
  redis.disconnect();
}
