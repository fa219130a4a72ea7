import type { Instant } from "../evaluation/evaluation-context.ts";
import type { FeatureKey, Resolution } from "../evaluation/feature.ts";
import { checkFeatures } from "../evaluation/feature-resolver.ts";
import { type Interval, intervalAt, type KnownWindows, type Schedule } from "./schedule.ts";

/** A time, `[from, until)`, in which no schedule of a timetable changes; `until` is when the next one does. */
export type Phase = {
  readonly features: ReadonlyMap<FeatureKey, Resolution>;
  readonly from: Instant;
  readonly until: Instant;
};

/** What was found out last of one schedule. */
type Known = { readonly stretch: KnownWindows; readonly spell: Interval; readonly resolution: Resolution };

/** Schedules of features, and how they all stand at one time or another. It remembers what it found out last, also of those `before`. */
export class Timetable {
  readonly #schedules: ReadonlyMap<FeatureKey, Schedule>;
  readonly #known: WeakMap<Schedule, Known>;

  constructor(schedules: ReadonlyMap<FeatureKey, Schedule>, before?: Timetable) {
    this.#schedules = schedules;
    this.#known = before ? before.#known : new WeakMap();
  }

  /** The phase in which an instant lies. It stops for a moment after each piece of work that takes some, so that others can have a turn. */
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

const covers = ({ from, until }: Pick<Phase, "from" | "until">, at: Instant): boolean => from <= at && at < until;

function knownOf(stretch: KnownWindows, at: Instant): Known {
  const spell = intervalAt(stretch, at);
  return { stretch, spell, resolution: resolutionOf(spell) };
}

/** Off is what it is by default: no window has been found that matches. */
function resolutionOf({ on, from, until }: Interval): Resolution {
  if (!on) {
    const metadata = { ...momentIn("nextWindowStartsAt", until) };
    return { on: false, value: false, reason: "DEFAULT", metadata };
  }
  const metadata = { ...momentIn("windowStartsAt", from), ...momentIn("windowEndsAt", until) };
  return { on: true, value: true, reason: "TARGETING_MATCH", metadata };
}

/** A date that JavaScript can tell, under a name; nothing for ever. */
const momentIn = (name: string, at: Instant): Readonly<Record<string, string>> =>
  Number.isFinite(at) ? { [name]: new Date(at).toISOString() } : {};
