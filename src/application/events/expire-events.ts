import { externalActor } from "../../domain/admin/change.ts";
import { type Instant, instantText } from "../../domain/evaluation/evaluation-context.ts";
import { tidegateComponent } from "../../domain/events/event.ts";
import type { EventLog } from "../../domain/events/event-log.ts";
import { repeated } from "../async/repeated.ts";
import { emailOf } from "./change-event.ts";

const dayMs = 86_400_000;

/** The retention time, and the dependencies of the removal. */
export type ExpiryOptions = {
  readonly days: number;
  readonly environment: string;
  readonly newId: () => string;
  readonly now: () => Instant;
  /** Called for each run that fails; the next one is an hour later. */
  readonly failed: (cause: unknown) => void;
  readonly afterStartMs?: number;
  readonly everyMs?: number;
};

/**
 * Retention: removes events from the event log that are older than the retention time. Several processes may run it
 * concurrently.
 */
export class ExpireEvents {
  readonly #log: EventLog;
  readonly #options: ExpiryOptions;
  readonly #rounds: ReturnType<typeof repeated>;

  constructor(log: EventLog, options: ExpiryOptions) {
    this.#log = log;
    this.#options = options;
    this.#rounds = repeated(() => this.expire(), options.everyMs ?? 3_600_000, options.failed);
  }

  /**
   * Removes the events that are too old now. Returns how many. Rejects with `EventLogUnavailable`; events that were not
   * removed stay.
   */
  async expire(): Promise<number> {
    const { days, environment, newId, now } = this.#options;
    const at = now();
    const before = at - days * dayMs;
    const since = instantText(before);
    return this.#log.expire(before, {
      id: newId(),
      component: tidegateComponent,
      environment,
      email: emailOf(externalActor),
      message: `events before ${since} were removed (retention: ${days} days)`,
      data: { type: "expired", before: since, days },
      at,
      recordedBy: externalActor,
    });
  }

  /** Runs a minute from now, and every hour until it is stopped. */
  start(): void {
    this.#rounds.start(this.#options.afterStartMs ?? 60_000);
  }

  /** Does not wait for a removal in progress. */
  stop(): void {
    void this.#rounds.stop();
  }
}
