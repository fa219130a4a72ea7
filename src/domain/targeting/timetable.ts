import { type Instant, instantText } from "../evaluation/evaluation-context.ts";
import type { FeatureKey } from "../evaluation/feature.ts";
import type { Resolution } from "../evaluation/source-result.ts";
import { covers, type Interval, intervalAt, type KnownWindows, type Schedule } from "./schedule.ts";

/** Phase `[from, until)` in which no schedule of a timetable changes. The next change is at `until`. */
export type Phase = {
  readonly features: ReadonlyMap<FeatureKey, Resolution>;
  readonly from: Instant;
  readonly until: Instant;
};

/** The last result for one schedule. */
type CachedPhase = { readonly windows: KnownWindows; readonly interval: Interval; readonly resolution: Resolution };

/**
 * Timetable: the schedules of features, and their states at an instant. It caches the last result of each schedule, and
 * takes over the cache of `previous`.
 */
export class Timetable {
  readonly #schedules: ReadonlyMap<FeatureKey, Schedule>;
  readonly #cache: WeakMap<Schedule, CachedPhase>;

  constructor(schedules: ReadonlyMap<FeatureKey, Schedule>, previous?: Timetable) {
    this.#schedules = schedules;
    this.#cache = previous ? previous.#cache : new WeakMap();
  }

  /** The phase of an instant. Yields after each costly step, so that the caller can let other work run. */
  *phaseAt(at: Instant): Generator<void, Phase> {
    const features = new Map<FeatureKey, Resolution>();
    let from = Number.NEGATIVE_INFINITY;
    let until = Number.POSITIVE_INFINITY;
    for (const [feature, schedule] of this.#schedules) {
      let cached = this.#cache.get(schedule);
      if (!cached || !covers(cached.interval, at)) {
        const isNew = !cached || !covers(cached.windows, at);
        cached = cachedPhase(cached && !isNew ? cached.windows : schedule(at), at);
        this.#cache.set(schedule, cached);
        if (isNew) yield;
      }
      features.set(feature, cached.resolution);
      from = Math.max(from, cached.interval.from);
      until = Math.min(until, cached.interval.until);
    }
    return { features, from, until };
  }
}

function cachedPhase(windows: KnownWindows, at: Instant): CachedPhase {
  const interval = intervalAt(windows, at);
  return { windows, interval, resolution: resolutionOf(interval) };
}

/** The reason for off is DEFAULT, because no window matches. */
function resolutionOf({ on, from, until }: Interval): Resolution {
  if (!on) {
    const metadata = { ...timeMetadata("nextWindowStartsAt", until) };
    return { on: false, value: false, reason: "DEFAULT", metadata };
  }
  const metadata = { ...timeMetadata("windowStartsAt", from), ...timeMetadata("windowEndsAt", until) };
  return { on: true, value: true, reason: "TARGETING_MATCH", metadata };
}

/** An instant as a named RFC 3339 text; nothing for an infinite one. */
const timeMetadata = (name: string, at: Instant): Readonly<Record<string, string>> =>
  Number.isFinite(at) ? { [name]: instantText(at) } : {};
