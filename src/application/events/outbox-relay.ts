import type { Backlog, Outbox, OutboxEntry } from "../../domain/admin/outbox.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { EventLog } from "../../domain/events/event-log.ts";
import { changeEvent, deadLetterEvent } from "./change-event.ts";

const atOnce = 500;

/** The round that is under way, and the one after it. */
type Rounds = { present?: Promise<void> | undefined; next?: Promise<void> | undefined };

/** What the drain needs of the world beside its ports. */
export type RelayOptions = {
  readonly environment: string;
  readonly now: () => Instant;
  /** What keys the history of a store in the log. */
  readonly identityOf: (store: string) => Promise<string>;
  /** The id of the event for an entry that is set aside; the same for the same entry. */
  readonly idFor: (text: string) => string;
  readonly foundUnusable: (store: string, reason: string) => void;
};

/**
 * Moves what stores recorded of their changes into the activity log, each exactly once. Several processes may do so at once: the
 * log takes an id once only, and an entry leaves its outbox only after the log has it. What the log cannot take
 * as what it was meant to be becomes an event that says so, and is told of.
 */
export class OutboxRelay {
  /** How many entries were set aside since the start. */
  deadLetters = 0;
  readonly #outboxes: ReadonlyMap<string, Outbox>;
  readonly #log: EventLog;
  readonly #options: RelayOptions;
  readonly #rounds = new Map<string, Rounds>();
  #isOver = false;

  constructor(outboxes: ReadonlyMap<string, Outbox>, log: EventLog, options: RelayOptions) {
    this.#outboxes = outboxes;
    this.#log = log;
    this.#options = options;
  }

  /** The stores whose outboxes it empties. */
  get stores(): readonly string[] {
    return [...this.#outboxes.keys()];
  }

  /** Empties all outboxes. Rejects when a store or the log does not answer; then the rest stays where it is. */
  async relayAll(): Promise<void> {
    await Promise.all([...this.#outboxes.keys()].map((store) => this.relay(store)));
  }

  /** Empties the outbox of one store. Callers that come while that is under way share another round after it. */
  relay(store: string): Promise<void> {
    const rounds = this.#rounds.get(store) ?? {};
    this.#rounds.set(store, rounds);
    if (!rounds.present) return this.#begin(store, rounds);
    rounds.next ??= rounds.present
      .catch(() => {})
      .then(() => {
        rounds.next = undefined;
        return this.#begin(store, rounds);
      });
    return rounds.next;
  }

  /** Moves no more: what waits is left to other processes, and this one need not wait for a million records. */
  end(): void {
    this.#isOver = true;
  }

  #begin(store: string, rounds: Rounds): Promise<void> {
    const present = this.#drain(store).finally(() => {
      if (rounds.present === present) rounds.present = undefined;
    });
    rounds.present = present;
    return present;
  }

  /** What waits in one store. Rejects when it does not answer. */
  backlog(store: string): Promise<Backlog> {
    return this.#outboxOf(store).backlog();
  }

  async #drain(store: string): Promise<void> {
    const outbox = this.#outboxOf(store);
    while (!this.#isOver) {
      const entries = await outbox.read(atOnce);
      if (entries.length === 0) return;
      await this.#record(store, entries);
      await outbox.remove(entries);
    }
  }

  #outboxOf(store: string): Outbox {
    const outbox = this.#outboxes.get(store);
    if (!outbox) throw new Error(`the store "${store}" has no outbox`);
    return outbox;
  }

  async #record(store: string, entries: readonly OutboxEntry[]): Promise<void> {
    for (const { text, records } of entries) if (!records) await this.#setAside(store, text, "it is no record");
    const records = entries.flatMap((entry) => entry.records ?? []);
    if (records.length === 0) return;
    const identity = await this.#options.identityOf(store);
    const events = records.map((record) => changeEvent(store, record, this.#options.environment, identity));
    for (const { event, reason } of await this.#log.record(events)) {
      await this.#setAside(store, JSON.stringify(event.change.record), reason);
    }
  }

  async #setAside(store: string, entry: string, reason: string): Promise<void> {
    const { idFor, now, environment, foundUnusable } = this.#options;
    const id = idFor(`${store}\n${entry}`);
    if (await this.#log.one(id)) return;
    await this.#log.append(deadLetterEvent(id, now(), environment, { store, entry, reason }));
    this.deadLetters += 1;
    foundUnusable(store, reason);
  }
}
