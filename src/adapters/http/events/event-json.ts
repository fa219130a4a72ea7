import type { ChangePlace } from "../../../application/reverts/change-places.ts";
import { changedKey, revisionText } from "../../../domain/admin/change.ts";
import { instantText } from "../../../domain/evaluation/evaluation-context.ts";
import type { Json } from "../../../domain/evaluation/feature.ts";
import type { Event } from "../../../domain/events/event.ts";

/** An event in JSON. */
export type EventJson = {
  readonly component: string;
  readonly data: Json;
  readonly email: string | null;
  readonly environment: string;
  readonly message: string;
  readonly id: string;
  /** Seconds since 1970, with a fraction, as text: the format of the activity service that Tidegate replaces. */
  readonly created_at: string;
  readonly time: string;
  readonly recorded_by: string;
  readonly position: number;
  readonly hash: string;
  readonly store?: string;
  readonly key?: string;
  readonly revision?: string;
  readonly features?: readonly string[];
  readonly sources?: readonly string[];
  readonly user?: string;
  readonly location?: string;
};

/** `place` adds what the event changed, by the present configuration. */
export const eventJson = ({ at, recordedBy, change, ...event }: Event, place?: ChangePlace): EventJson => ({
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
  ...(place && {
    features: place.features,
    sources: place.sources,
    ...(place.context.userId !== undefined && { user: place.context.userId }),
    ...(place.context.location !== undefined && { location: place.context.location }),
  }),
});

function storeIn(data: Json): string | undefined {
  const { store } = Object(data) as { readonly store?: Json };
  return typeof store === "string" ? store : undefined;
}
