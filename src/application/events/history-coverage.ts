import { externalActor } from "../../domain/admin/change.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { type Event, type NewEvent, tidegateComponent } from "../../domain/events/event.ts";
import { emailOf } from "./change-event.ts";

/**
 * History coverage: the time from which the log holds all sets of a template. From then on, a set without a record was
 * empty; before, its content is not known. The time is an event of the log, whose id is derived from the template.
 * `namesOf` returns the names under which events of a store are recorded, the one for new events first.
 */
export function historyCoverage(
  find: (id: string) => Promise<Event | undefined>,
  namesOf: (store: string) => Promise<readonly string[]>,
  idFor: (text: string) => string,
  environment: string,
  now: () => Instant,
) {
  const idOf = (store: string, template: string) => idFor(`complete\n${store}\n${template}`);

  /** The start of the complete history; `undefined` if there is none. Rejects if the log does not respond. */
  async function of(store: string, template: string): Promise<Instant | undefined> {
    const names = await namesOf(store);
    const events = await Promise.all(names.map((name) => find(idOf(name, template))));
    const instants = events.flatMap((event) => event?.at ?? []);
    return instants.length > 0 ? Math.min(...instants) : undefined;
  }

  /** The event that marks the history as complete from now on. */
  async function event(store: string, template: string): Promise<NewEvent> {
    const [name = store] = await namesOf(store);
    return {
      id: idOf(name, template),
      component: tidegateComponent,
      environment,
      email: emailOf(externalActor),
      message: `all sets ${template} of ${store} are recorded from this event on`,
      data: { type: "complete", store, template },
      at: now(),
      recordedBy: externalActor,
    };
  }

  return { of, event };
}

export type HistoryCoverage = ReturnType<typeof historyCoverage>;
