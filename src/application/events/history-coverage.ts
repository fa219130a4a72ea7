import { externalActor } from "../../domain/admin/change.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { type Event, type NewEvent, tidegateComponent } from "../../domain/events/event.ts";
import { emailOf } from "./change-event.ts";

/**
 * History coverage: the time from which the log holds all sets of a template. From then on, a set without a record was
 * empty; before, its content is not known. The time is an event of the log, whose id is derived from the template.
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

  /** The start of the complete history; `undefined` if there is none. Rejects if the log does not respond. */
  async of(store: string, template: string): Promise<Instant | undefined> {
    const names = await this.#namesOf(store);
    const events = await Promise.all(names.map((name) => this.#find(this.#id(name, template))));
    const instants = events.flatMap((event) => event?.at ?? []);
    return instants.length > 0 ? Math.min(...instants) : undefined;
  }

  /** The event that marks the history as complete from now on. */
  async event(store: string, template: string): Promise<NewEvent> {
    const [name = store] = await this.#namesOf(store);
    return {
      id: this.#id(name, template),
      component: tidegateComponent,
      environment: this.#environment,
      email: emailOf(externalActor),
      message: `all sets ${template} of ${store} are recorded from this event on`,
      data: { type: "complete", store, template },
      at: this.#now(),
      recordedBy: externalActor,
    };
  }

  #id(store: string, template: string): string {
    return this.#idFor(`complete\n${store}\n${template}`);
  }
}
