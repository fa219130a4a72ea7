import { type ChangeRecord, changedKey } from "../../domain/admin/change.ts";
import { errorMessage } from "../../domain/error-message.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { EventLog } from "../../domain/events/event-log.ts";
import type { Backlog, Outbox, OutboxEntry } from "../../domain/events/outbox.ts";
import { inRounds } from "../async/in-rounds.ts";
import { changeEvent, deadLetterEvent } from "./change-event.ts";

const atOnce = 500;

/** The dependencies of the relay beside its ports. */
export type RelayOptions = {
  readonly environment: string;
  readonly now: () => Instant;
  /** The key of a store's history in the log. */
  readonly identityOf: (store: string) => Promise<string>;
  /** The id of the event for a dead letter; the same for the same entry. */
  readonly idFor: (text: string) => string;
  /** Begins a new epoch for the item of a rejected record, so that the log agrees with the store again. */
  readonly rebase: (store: string, record: ChangeRecord) => Promise<void>;
  readonly foundUnusable: (store: string, reason: string) => void;
};

/**
 * Outbox relay: moves each change record to the event log exactly once. Several processes may run it concurrently: the
 * log takes each id once, and an entry leaves its outbox only after the log has it. An entry that the log cannot take
 * as its record becomes a dead letter, which is an event and is reported; the item of the record is rebased.
 */
export class OutboxRelay {
  /** The number of dead letters since the start. */
  deadLetters = 0;
  readonly #outboxes: ReadonlyMap<string, Outbox>;
  readonly #log: EventLog;
  readonly #options: RelayOptions;
  readonly #rounds: ReadonlyMap<string, () => Promise<void>>;
  #isOver = false;

  constructor(outboxes: ReadonlyMap<string, Outbox>, log: EventLog, options: RelayOptions) {
    this.#outboxes = outboxes;
    this.#log = log;
    this.#options = options;
    this.#rounds = new Map(this.stores.map((store) => [store, inRounds(() => this.#relayEntries(store))]));
  }

  /** The stores whose outboxes it relays. */
  get stores(): readonly string[] {
    return [...this.#outboxes.keys()];
  }

  /** Relays all outboxes. Rejects if a store or the log does not respond; the rest stays in the outboxes. */
  async relayAll(): Promise<void> {
    await Promise.all(this.stores.map((store) => this.relay(store)));
  }

  /** Relays the outbox of one store. Calls during a round share the next one. */
  async relay(store: string): Promise<void> {
    return (this.#rounds.get(store) ?? (() => this.#relayEntries(store)))();
  }

  /**
   * Stops after the present batch. Other processes relay the rest, so that a large backlog does not delay the shutdown.
   */
  end(): void {
    this.#isOver = true;
  }

  /** The backlog of one store. Rejects if it does not respond. */
  backlog(store: string): Promise<Backlog> {
    return this.#outboxOf(store).backlog();
  }

  async #relayEntries(store: string): Promise<void> {
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
    if (!outbox) throw new Error(`store "${store}" has no outbox`);
    return outbox;
  }

  async #record(store: string, entries: readonly OutboxEntry[]): Promise<void> {
    for (const { text, records } of entries)
      if (!records) await this.#addDeadLetter(store, text, "not a change record");
    const records = entries.flatMap((entry) => entry.records ?? []);
    if (records.length === 0) return;
    const identity = await this.#options.identityOf(store);
    const events = records.map((record) => changeEvent(store, record, this.#options.environment, identity));
    const rebased = new Map<string, Promise<string>>();
    for (const { event, reason } of await this.#log.record(events)) {
      const { record } = event.change;
      const key = changedKey(record);
      // The log would reject another first record of an epoch too.
      const isFirst = record.revision.number === 1 && record.revision.epoch === record.id;
      if (!isFirst && !rebased.has(key)) rebased.set(key, this.#rebase(store, record));
      // Before the dead letter: a crash between the two repeats both.
      const failure = await rebased.get(key);
      await this.#addDeadLetter(store, JSON.stringify(record), reason + (failure ?? ""));
    }
  }

  /** Returns the reason of a failure, which must not block the relay: a full store, or an invalid key. */
  #rebase(store: string, record: ChangeRecord): Promise<string> {
    return this.#options.rebase(store, record).then(
      () => "",
      (error) => `; cannot record its item again: ${errorMessage(error)}`,
    );
  }

  async #addDeadLetter(store: string, entry: string, reason: string): Promise<void> {
    const { idFor, now, environment, foundUnusable } = this.#options;
    const id = idFor(`${store}\n${entry}`);
    if (await this.#log.one(id)) return;
    await this.#log.append(deadLetterEvent(id, now(), environment, { store, entry, reason }));
    this.deadLetters += 1;
    foundUnusable(store, reason);
  }
}
