import { type ChangeTarget, storeIn } from "../application/reverts/change-targets.ts";
import { changedKey, revisionText } from "../domain/admin/change.ts";
import { instantText } from "../domain/evaluation/evaluation-context.ts";
import type { Event } from "../domain/events/event.ts";

/** `target` adds the changed features, their sources and caller, by the present configuration. */
export const eventJson = ({ at, recordedBy, change, ...event }: Event, target?: ChangeTarget) => ({
  component: event.component,
  data: event.data,
  email: event.email || null,
  environment: event.environment,
  message: event.message,
  id: event.id,
  created_at: (at / 1_000).toFixed(3),
  time: instantText(at),
  recorded_by: recordedBy,
  position: event.position,
  hash: event.hash,
  ...(change && {
    // The connection name, which operators recognise, instead of the store id.
    store: storeIn(event.data) ?? change.store,
    key: changedKey(change.record),
    revision: revisionText(change.record.revision),
  }),
  ...(target && {
    features: target.features,
    sources: target.sources,
    ...(target.context.userId !== undefined && { user: target.context.userId }),
    ...(target.context.location !== undefined && { location: target.context.location }),
  }),
});

/** An event in JSON. */
export type EventJson = ReturnType<typeof eventJson>;
