import { setImmediate } from "node:timers/promises";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../../domain/evaluation/feature.ts";
import { covers, type Schedule } from "../../../domain/targeting/schedule.ts";
import { type Phase, Timetable } from "../../../domain/targeting/timetable.ts";

type Schedules = ReadonlyMap<FeatureKey, Schedule>;

/** Maximum time of work without yielding to the event loop, in milliseconds. */
const maxSliceMs = 5;
/** Instants up to this far from now count as the present, in milliseconds. */
const presentMs = 1_000;
/** Maximum delay of a timer, in milliseconds. */
const maxWaitMs = 86_400_000;

/**
 * Precomputes the current and the next phase of schedules, so that evaluating the present is a lookup. The next phase
 * is computed in the background when the schedules change and when a boundary passes.
 */
export class PhasesAhead implements Disposable {
  readonly #now: () => Instant;
  #schedules: Schedules = new Map();
  #timetable = new Timetable(this.#schedules);
  /** The current phase and the next one. */
  #ready: readonly Phase[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** The computation of the current phase, while it runs. */
  #finding: Promise<Phase> | undefined;

  constructor(now: () => Instant) {
    this.#now = now;
  }

  /**
   * The phase at an instant; synchronous if it is precomputed. Phases of other times than the present are computed on
   * demand, and not kept.
   */
  at(schedules: Schedules, at: Instant): Phase | Promise<Phase> {
    const isPresent = Math.abs(at - this.#now()) <= presentMs;
    this.#advance();
    if (isPresent && schedules !== this.#schedules) this.#replace(schedules);
    const ready = schedules === this.#schedules ? this.#ready.find((phase) => covers(phase, at)) : undefined;
    if (ready) return ready;
    if (!isPresent) return inSlices(new Timetable(schedules).phaseAt(at));
    const found = this.#finding ?? this.#find(at);
    if (!(found instanceof Promise)) return found;
    return found.then((phase) => (covers(phase, at) ? phase : this.at(schedules, at)));
  }

  [Symbol.dispose](): void {
    this.#replace(new Map());
  }

  #replace(schedules: Schedules): void {
    this.#timetable = new Timetable(schedules, this.#timetable);
    this.#schedules = schedules;
    this.#ready = [];
    this.#finding = undefined;
    clearTimeout(this.#timer);
  }

  /** Computes the current phase once for all concurrent callers. */
  #find(at: Instant): Phase | Promise<Phase> {
    const timetable = this.#timetable;
    const found = inSlices(timetable.phaseAt(at));
    if (!(found instanceof Promise)) return this.#begin(timetable, found);
    const finding = found
      .then((phase) => this.#begin(timetable, phase))
      .finally(() => {
        if (this.#finding === finding) this.#finding = undefined;
      });
    this.#finding = finding;
    return finding;
  }

  /** Makes a phase the current one, and starts to compute the next. */
  #begin(timetable: Timetable, present: Phase): Phase {
    if (timetable !== this.#timetable) return present;
    this.#ready = [present];
    // An error is not reported here: the next call computes the phase itself, and rejects.
    if (Number.isFinite(present.until)) this.#prepare(timetable, present).catch(() => {});
    return present;
  }

  async #prepare(timetable: Timetable, present: Phase): Promise<void> {
    await setImmediate();
    const next = await inSlices(timetable.phaseAt(present.until));
    if (timetable !== this.#timetable || this.#ready[0] !== present) return;
    this.#ready = [present, next];
    this.#wait(present.until);
  }

  #wait(boundary: Instant): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#advance() || this.#wait(boundary),
      Math.max(0, Math.min(boundary - this.#now(), maxWaitMs)),
    ).unref();
  }

  /**
   * Makes the next phase current if the current one has ended. If the next one has ended too, the following call
   * computes anew.
   */
  #advance(): boolean {
    const [present, next] = this.#ready;
    const now = this.#now();
    if (!present || !next || now < present.until) return false;
    if (now < next.until) this.#begin(this.#timetable, next);
    else this.#ready = [];
    return true;
  }
}

/** Runs work in slices. Synchronous if it fits into one slice; otherwise it yields to the event loop between slices. */
function inSlices<T>(work: Generator<void, T>): T | Promise<T> {
  const first = slice(work);
  return first.done ? first.value : rest(work);
}

async function rest<T>(work: Generator<void, T>): Promise<T> {
  for (;;) {
    await setImmediate();
    const next = slice(work);
    if (next.done) return next.value;
  }
}

function slice<T>(work: Generator<void, T>): IteratorResult<void, T> {
  const end = performance.now() + maxSliceMs;
  for (;;) {
    const step = work.next();
    if (step.done || performance.now() >= end) return step;
  }
}
