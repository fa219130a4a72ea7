import { externalActor } from "../../domain/admin/change.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { type Event, type NewEvent, tidegateComponent } from "../../domain/events/event.ts";
import { emailOf } from "./change-event.ts";

/**
 * Since when the log tells of all sets of a family. A set of which it tells nothing was empty from then on; before, it is
 * not known. That is itself an event of the log, with an id that follows from the family.
 */
export class HistoryCoverage {
  readonly #find: (id: string) => Promise<Event | undefined>;
  readonly #namesOf: (store: string) => Promise<readonly string[]>;
  readonly #idFor: (text: string) => string;
  readonly #environment: string;
  readonly #now: () => Instant;

  /** `namesOf` returns the names under which events of a store are recorded, the one for new events first. */
  constructor(
    find: (id: string) => Promise<Event | undefined>,
    namesOf: (store: string) => Promise<readonly string[]>,
    idFor: (text: string) => string,
    environment: string,
    now: () => Instant,
  ) {
    this.#find = find;
    this.#namesOf = namesOf;
    this.#idFor = idFor;
    this.#environment = environment;
    this.#now = now;
  }

  /** `undefined` where it does not. Rejects when the log does not answer. */
  async of(store: string, template: string): Promise<Instant | undefined> {
    const names = await this.#namesOf(store);
    const events = await Promise.all(names.map((name) => this.#find(this.#id(name, template))));
    const instants = events.flatMap((event) => event?.at ?? []);
    return instants.length > 0 ? Math.min(...instants) : undefined;
  }

  /** The event that says that it does from now on. */
  async event(store: string, template: string): Promise<NewEvent> {
    const [name = store] = await this.#namesOf(store);
    return {
      id: this.#id(name, template),
      component: tidegateComponent,
      environment: this.#environment,
      email: emailOf(externalActor),
      message: `all sets ${template} of ${store} are recorded from here on`,
      data: { type: "complete", store, template },
      at: this.#now(),
      recordedBy: externalActor,
    };
  }

  #id(store: string, template: string): string {
    return this.#idFor(`complete\n${store}\n${template}`);
  }
}
