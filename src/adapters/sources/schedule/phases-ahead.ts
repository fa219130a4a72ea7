import { setImmediate } from "node:timers/promises";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../../domain/evaluation/feature.ts";
import type { Schedule } from "../../../domain/targeting/schedule.ts";
import { type Phase, Timetable } from "../../../domain/targeting/timetable.ts";

type Schedules = ReadonlyMap<FeatureKey, Schedule>;

/** The longest piece of work without a turn for others. */
const longestSliceMs = 5;
/** How far an instant may be from now and be taken for the present. */
const presentMs = 1_000;
/** The most that a timer can wait. */
const longestWaitMs = 86_400_000;

/**
 * Keeps ready how schedules stand now, and how they will stand from the next boundary on, so that asking about the present costs a look.
 * What comes next is found out in the background: when the schedules change, and when a boundary passes.
 */
export class PhasesAhead implements Disposable {
  readonly #now: () => Instant;
  #schedules: Schedules = new Map();
  #timetable = new Timetable(this.#schedules);
  /** The present one, and the one after it. */
  #ready: readonly Phase[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** The present one, while it is found out. */
  #finding: Promise<Phase> | undefined;

  constructor(now: () => Instant) {
    this.#now = now;
  }

  /** The phase in which an instant lies; at once where it is ready. Another time than the present is found out apart. */
  at(schedules: Schedules, at: Instant): Phase | Promise<Phase> {
    const isPresent = Math.abs(at - this.#now()) <= presentMs;
    this.#goOn();
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

  /** Finds out the present phase once for all who ask meanwhile. */
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

  /** Takes it for the present one, and sees to the next. */
  #begin(timetable: Timetable, present: Phase): Phase {
    if (timetable !== this.#timetable) return present;
    this.#ready = [present];
    // Where it fails, whoever asks next is told.
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
      () => this.#goOn() || this.#wait(boundary),
      Math.max(0, Math.min(boundary - this.#now(), longestWaitMs)),
    ).unref();
  }

  /** Takes the next phase for the present one, once that has ended. Who was held up for longer finds out anew when asked. */
  #goOn(): boolean {
    const [present, next] = this.#ready;
    const now = this.#now();
    if (!present || !next || now < present.until) return false;
    if (now < next.until) this.#begin(this.#timetable, next);
    else this.#ready = [];
    return true;
  }
}

const covers = ({ from, until }: Phase, at: Instant): boolean => from <= at && at < until;

/** Does some work, at once where it takes little; else others have a turn in between. */
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
  const end = performance.now() + longestSliceMs;
  for (;;) {
    const step = work.next();
    if (step.done || performance.now() >= end) return step;
  }
}
