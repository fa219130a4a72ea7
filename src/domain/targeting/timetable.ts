import { type Instant, instantText } from "../evaluation/evaluation-context.ts";
import type { FeatureKey } from "../evaluation/feature.ts";
import { checkFeatures, type Resolution } from "../evaluation/source-result.ts";
import { covers, type Interval, intervalAt, type KnownWindows, type Schedule } from "./schedule.ts";

/** Phase `[from, until)` in which no schedule of a timetable changes. The next change is at `until`. */
export type Phase = {
  readonly features: ReadonlyMap<FeatureKey, Resolution>;
  readonly from: Instant;
  readonly until: Instant;
};

/** The last result for one schedule. */
type Known = { readonly stretch: KnownWindows; readonly spell: Interval; readonly resolution: Resolution };

/**
 * Timetable: the schedules of features, and their states at an instant. It caches the last result of each schedule, and
 * takes over the cache of `before`.
 */
export class Timetable {
  readonly #schedules: ReadonlyMap<FeatureKey, Schedule>;
  readonly #known: WeakMap<Schedule, Known>;

  constructor(schedules: ReadonlyMap<FeatureKey, Schedule>, before?: Timetable) {
    this.#schedules = schedules;
    this.#known = before ? before.#known : new WeakMap();
  }

  /** The phase of an instant. Yields after each costly step, so that the caller can let other work run. */
  *phaseAt(at: Instant): Generator<void, Phase> {
    const features = new Map<FeatureKey, Resolution>();
    let from = Number.NEGATIVE_INFINITY;
    let until = Number.POSITIVE_INFINITY;
    for (const [feature, schedule] of this.#schedules) {
      let known = this.#known.get(schedule);
      if (!known || !covers(known.spell, at)) {
        const isNew = !known || !covers(known.stretch, at);
        known = knownOf(known && !isNew ? known.stretch : schedule(at), at);
        this.#known.set(schedule, known);
        if (isNew) yield;
      }
      features.set(feature, known.resolution);
      from = Math.max(from, known.spell.from);
      until = Math.min(until, known.spell.until);
    }
    checkFeatures(features);
    return { features, from, until };
  }
}

function knownOf(stretch: KnownWindows, at: Instant): Known {
  const spell = intervalAt(stretch, at);
  return { stretch, spell, resolution: resolutionOf(spell) };
}

/** The reason for off is DEFAULT, because no window matches. */
function resolutionOf({ on, from, until }: Interval): Resolution {
  if (!on) {
    const metadata = { ...momentIn("nextWindowStartsAt", until) };
    return { on: false, value: false, reason: "DEFAULT", metadata };
  }
  const metadata = { ...momentIn("windowStartsAt", from), ...momentIn("windowEndsAt", until) };
  return { on: true, value: true, reason: "TARGETING_MATCH", metadata };
}

/** An instant as a named RFC 3339 text; nothing for an infinite one. */
const momentIn = (name: string, at: Instant): Readonly<Record<string, string>> =>
  Number.isFinite(at) ? { [name]: instantText(at) } : {};
