import { Redis } from "ioredis";
import { interrupted } from "./interruption.ts";

export const userCount = 10_000;
const globalCount = 20;
const activeCount = 50;

export const featureNames: readonly string[] = Array.from({ length: 100 }, (_, index) => `feature_${index}`);
export const globalFeatures = featureNames.slice(0, globalCount);
export const activeFeatures = featureNames.slice(globalCount, globalCount + activeCount);
const isActive = new Set(activeFeatures);

export const tokenOf = (user: number): string => `token-${String(user).padStart(8, "0")}-0123456789abcdef`;

/** The 10 to 20 features that a user has, 15 on average, of 100; the same in every run. */
export function ownFeatures(user: number): ReadonlySet<string> {
  const own = new Set<string>();
  // Knuth's multiplicative hash, then the linear congruence of Numerical Recipes.
  let state = Math.imul(user + 1, 2_654_435_761) >>> 0;
  while (own.size < 10 + (user % 11)) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    own.add(featureNames[(state >>> 16) % featureNames.length] ?? "");
  }
  return own;
}

/** The expected features of a user, sorted. */
export const featuresOf = (user: number): readonly string[] =>
  [...globalFeatures, ...[...ownFeatures(user)].filter((name) => isActive.has(name))].sort();

/** Fills a Redis with features for everyone, active features, and users with tokens and features of their own. */
export async function fill(url: string, users: number): Promise<void> {
  const redis = new Redis(url);
  await redis.sadd("global_features", ...globalFeatures);
  await redis.sadd("active_features", ...activeFeatures);
  for (let first = 0; first < users; first += 1_000) {
    interrupted.throwIfAborted();
    const batch = redis.pipeline();
    for (let user = first; user < Math.min(users, first + 1_000); user++) {
      batch.sadd(`features:user:${user}`, ...ownFeatures(user)).set(`token:${tokenOf(user)}`, `${user}`);
    }
    await batch.exec();
  }
  redis.disconnect();
}
