import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { stepStart, type UsageCount, type UsageStore, usageSteps } from "../../domain/usage/usage-store.ts";
import { waitAtMost } from "../async/deadline.ts";
import { inRounds } from "../async/in-rounds.ts";
import type { CountUsage } from "./count-usage.ts";

/** Receives changes of the state of recording, for the log. */
export type RecordingLog = { readonly failed: (cause: unknown) => void; readonly recovered: () => void };

const minuteMs = usageSteps.minute.length;
/** Counts per write. */
const countsPerWrite = 1_000;
/** Maximum number of counts that wait while the store is unavailable. The oldest are dropped. */
const maxWaiting = 100_000;
/** Maximum pause before a write, in milliseconds, so that the workers of an instance do not all write at once. */
const maxPauseMs = 10_000;
/** Limit for the last write, in milliseconds. */
const maxStopMs = 2_000;
/** Rounds between two removals of old counts. */
const roundsPerExpiry = 60;

/**
 * Writes the counts of this process to the usage store, at the end of each minute. Retries with the next one while the
 * store is unavailable.
 */
export class RecordUsage {
  readonly #counter: CountUsage;
  readonly #store: UsageStore;
  readonly #log: RecordingLog;
  readonly #now: () => Instant;
  /** Counts that are not written yet, the oldest first. */
  readonly #waiting: { readonly minute: Instant; readonly counts: readonly UsageCount[] }[] = [];
  /** The minute of the counts that the counter has. */
  #minute: Instant;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #rounds = Math.floor(Math.random() * roundsPerExpiry);
  #isStopped = false;
  #hasFailed = false;
  /** Number of evaluations since the start: written, and dropped because the store was unavailable for too long. */
  readonly counts = { recorded: 0, dropped: 0 };

  constructor(counter: CountUsage, store: UsageStore, log: RecordingLog, now: () => Instant) {
    this.#counter = counter;
    this.#store = store;
    this.#log = log;
    this.#now = now;
    this.#minute = stepStart(now(), "minute");
  }

  start(): void {
    this.#plan();
  }

  /** Ends the rounds, and writes the remaining counts, within 2 s. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await waitAtMost(
      maxStopMs,
      this.flush().catch(() => {}),
    );
  }

  /** Writes the counts so far. Rejects with `EventLogUnavailable`, and keeps the counts then. */
  readonly flush = inRounds(async () => {
    await this.#collect();
    await this.#write();
  });

  async #collect(): Promise<void> {
    const minute = this.#minute;
    this.#minute = stepStart(this.#now(), "minute");
    const counts = await this.#counter.take();
    if (counts.length > 0) this.#waiting.push({ minute, counts });
    let waiting = this.#waiting.reduce((sum, each) => sum + each.counts.length, 0);
    while (waiting > maxWaiting) {
      const { counts: oldest = [] } = this.#waiting.shift() ?? {};
      waiting -= oldest.length;
      this.counts.dropped += sumOf(oldest);
    }
  }

  async #write(): Promise<void> {
    for (let [first] = this.#waiting; first; [first] = this.#waiting) {
      const some = first.counts.slice(0, countsPerWrite);
      await this.#store.add(first.minute, some);
      this.counts.recorded += sumOf(some);
      const rest = first.counts.slice(countsPerWrite);
      this.#waiting.splice(0, 1, ...(rest.length > 0 ? [{ ...first, counts: rest }] : []));
    }
  }

  /** Takes the counts when the minute ends, and writes them a little later. */
  #plan(): void {
    if (this.#isStopped) return;
    const untilEnd = minuteMs - (this.#now() % minuteMs);
    this.#timer = setTimeout(() => {
      void this.#collect();
      this.#timer = setTimeout(() => void this.#round(), Math.random() * maxPauseMs).unref();
    }, untilEnd).unref();
  }

  async #round(): Promise<void> {
    try {
      await this.flush();
      this.#rounds += 1;
      if (this.#rounds % roundsPerExpiry === 0) await this.#store.expire(this.#now());
      if (this.#hasFailed) this.#log.recovered();
      this.#hasFailed = false;
    } catch (cause) {
      if (!this.#hasFailed && !this.#isStopped) this.#log.failed(cause);
      this.#hasFailed = true;
    }
    this.#plan();
  }
}

const sumOf = (counts: readonly UsageCount[]): number => counts.reduce((sum, { count }) => sum + count, 0);
