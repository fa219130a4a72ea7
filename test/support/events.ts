import { v7 as uuidv7 } from "uuid";
import { changeEvent } from "../../src/application/events/change-event.ts";
import type { DocumentRecord, SetRecord, TokenRecord } from "../../src/domain/admin/change.ts";
import type { NewEvent } from "../../src/domain/events/event.ts";
import type { RecordedEvent } from "../../src/domain/events/event-log.ts";

/** An event that a client posts, with defaults for all fields. */
export const anEvent = (fields: Partial<NewEvent> = {}): NewEvent => ({
  id: uuidv7(),
  component: "orders",
  environment: "production",
  email: "ade@gmail.com",
  message: "an order was placed",
  data: { order: 7 },
  at: 1_700_000_000_000,
  recordedBy: "shop",
  ...fields,
});

const recorded = { by: "ann", at: 1_700_000_000_000, revision: { epoch: "one", number: 1 } };

/** The event of a change of a set. The size defaults to the number of members. */
export function setEvent(record: Partial<SetRecord> & Pick<SetRecord, "key">, store = "features"): RecordedEvent {
  const size = record.members?.length ?? 0;
  const whole: SetRecord = {
    of: "set",
    id: uuidv7(),
    ...recorded,
    origin: record.members ? "baseline" : "change",
    added: [],
    removed: [],
    size,
    ...record,
  };
  return changeEvent(store, whole, "production");
}

/** The event of a change of a document. */
export const documentEvent = (
  record: Partial<DocumentRecord> & Pick<DocumentRecord, "collection" | "name" | "value">,
  store = "features",
): RecordedEvent => changeEvent(store, { of: "document", id: uuidv7(), ...recorded, ...record }, "production");

/** The event of a change of a token. */
export const tokenEvent = (record: Partial<TokenRecord>, store = "users"): RecordedEvent =>
  changeEvent(
    store,
    { of: "token", id: uuidv7(), ...recorded, tokenId: uuidv7(), userId: "1", origin: "issued", ...record },
    "production",
  );

/** The events of one set in one epoch, one second apart. */
export class SetEvents {
  readonly #key: string;
  readonly #members = new Set<string>();
  #number = 0;

  constructor(key: string, ...members: readonly string[]) {
    this.#key = key;
    for (const member of members) this.#members.add(member);
  }

  /** The time of its last event. */
  get at(): number {
    return recorded.at + this.#number * 1_000;
  }

  has(feature: string): boolean {
    return this.#members.has(feature);
  }

  begins(): RecordedEvent {
    return this.#event({ origin: "baseline", members: [...this.#members] });
  }

  changes(change: { readonly add?: readonly string[]; readonly remove?: readonly string[] }): RecordedEvent {
    const added = (change.add ?? []).filter((feature) => !this.#members.has(feature));
    const removed = (change.remove ?? []).filter((feature) => this.#members.has(feature));
    for (const feature of added) this.#members.add(feature);
    for (const feature of removed) this.#members.delete(feature);
    return this.#event({ added, removed });
  }

  #event(record: Partial<SetRecord>): RecordedEvent {
    this.#number += 1;
    const revision = { epoch: "one", number: this.#number };
    return setEvent({ key: this.#key, at: this.at, revision, size: this.#members.size, ...record });
  }
}
