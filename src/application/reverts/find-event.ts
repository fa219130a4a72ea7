import { changedKey, externalActor } from "../../domain/admin/change.ts";
import { UnknownEvent } from "../../domain/errors.ts";
import type { Json } from "../../domain/evaluation/feature.ts";
import type { Event } from "../../domain/events/event.ts";
import type { EventLog } from "../../domain/events/event-log.ts";
import { withDeadline } from "../async/deadline.ts";
import { queryLog } from "../events/query-log.ts";
import type { ChangeTarget, ChangeTargets } from "./change-targets.ts";

/** Maximum wait for changes that the log lacks yet. On a busy machine, seconds may pass. */
const maxWaitMs = 5_000;
const atOnce = 100;

/** Finds single events and their neighbours. Rejects with `EventLogUnavailable` if the log does not respond. */
export class FindEvent {
  readonly #log: EventLog;
  readonly #relay: () => Promise<void>;
  readonly #targets: ChangeTargets;

  /** `relay` moves the change records in the outboxes to the log. */
  constructor(log: EventLog, relay: () => Promise<void>, targets: ChangeTargets) {
    this.#log = log;
    this.#relay = relay;
    this.#targets = targets;
  }

  /** Relays waiting changes to the log. Rejects if that takes longer than 5 s. */
  async settle(): Promise<void> {
    await withDeadline(maxWaitMs, this.#relay);
  }

  /** The event with an id, or at a position. Rejects with `UnknownEvent`. */
  async one(idOrPosition: string): Promise<Event> {
    const position = /^[1-9]\d{0,14}$/.test(idOrPosition) ? Number(idOrPosition) : undefined;
    const find = () =>
      queryLog(async () =>
        position === undefined ? this.#log.one(idOrPosition) : (await this.#log.at([position])).at(0),
      );
    let found = await find();
    if (!found) {
      // A change that was just made may still be in its outbox.
      await this.settle().catch(() => {});
      found = await find();
    }
    if (!found) throw new UnknownEvent();
    return found;
  }

  /** The target of the change in an event; `undefined` if it is no change. */
  targetOf(event: Event): ChangeTarget | undefined {
    return this.#targets.of(event);
  }

  /**
   * The value of a document before an event changed it; `null` if it did not exist. `undefined` if the log does not
   * contain it, or for another event.
   */
  async before(event: Event): Promise<Json | undefined> {
    const record = event.change?.record;
    if (record?.of !== "document") return undefined;
    const key = changedKey(record);
    const found = await queryLog(() => this.#log.find({ key }, atOnce, event.position));
    const previous = found.find((other) => this.#isOfSame(event, other))?.change?.record;
    if (previous?.of === "document") return previous.value;
    return record.revision.number === 1 && record.by !== externalActor ? null : undefined;
  }

  /** The later events that changed the same set or document: for a set, those that changed one of its features. */
  async later(event: Event): Promise<readonly Event[]> {
    const record = event.change?.record;
    if (!record) return [];
    const touched = record.of === "set" ? [...record.added, ...record.removed] : [];
    const [feature, another] = touched;
    const single = feature !== undefined && another === undefined ? { feature } : {};
    const all: Event[] = [];
    for (let after = event.position; ; ) {
      const page = await queryLog(() => this.#log.follow({ key: changedKey(record), ...single }, atOnce, after));
      all.push(...page.filter((other) => this.#isOfSame(event, other) && touches(other, touched)));
      const last = page.at(-1);
      if (page.length < atOnce || !last) return all;
      after = last.position;
    }
  }

  /** The last event that changed the same set or document as an event. */
  async last(event: Event): Promise<Event | undefined> {
    const record = event.change?.record;
    if (!record) return undefined;
    const found = await queryLog(() => this.#log.find({ key: changedKey(record) }, atOnce));
    return found.find((other) => this.#isOfSame(event, other));
  }

  #isOfSame(one: Event, other: Event): boolean {
    return (
      one.change?.record.of === other.change?.record.of &&
      this.#targets.of(one)?.connection === this.#targets.of(other)?.connection
    );
  }
}

function touches({ change }: Event, features: readonly string[]): boolean {
  if (change?.record.of !== "set") return true;
  const { added, removed } = change.record;
  return features.some((feature) => added.includes(feature) || removed.includes(feature));
}
