import {
  type ChangeOptions,
  changedKey,
  type DocumentRecord,
  isSameRevision,
  type Revision,
  type SetRecord,
} from "../../domain/admin/change.ts";
import { ChangedSince, EventLogUnavailable, NotRevertible, RevisionMismatch } from "../../domain/errors.ts";
import type { FeatureKey, Json } from "../../domain/evaluation/feature.ts";
import type { Event } from "../../domain/events/event.ts";
import type { Catalogue } from "../admin/catalogue.ts";
import type { ChangeSet } from "../admin/change-set.ts";
import type { EditableSources } from "../admin/editable-sources.ts";
import type { ManageRules } from "../admin/manage-rules.ts";
import { catalogueCollection, isOfFeatures } from "../events/change-event.ts";
import type { ChangeTarget, ChangeTargets } from "./change-targets.ts";
import type { FindEvent } from "./find-event.ts";

/** The effect of a revert. */
export type Revert = {
  readonly key: string;
  readonly sources: readonly string[];
  /** Of a set. */
  readonly added: readonly FeatureKey[];
  readonly removed: readonly FeatureKey[];
  /** Of a rule or description, before and after the revert; `null` if there is none, `undefined` for a set. */
  readonly before?: Json;
  readonly after?: Json;
};

export type Reverted = Revert & {
  /** The id of the reverted event. */
  readonly reverted: string;
  /**
   * The event of the revert: an earlier one if it was reverted already. `undefined` in the dry run of another, and if
   * the log does not have it yet.
   */
  readonly event: Event | undefined;
};

/** The use cases that make the changes. */
type Changes = {
  readonly sources: EditableSources;
  readonly changeSet: ChangeSet;
  readonly rules: ManageRules;
  readonly catalogue: Catalogue;
};

/** A plan: the effect of a revert, and its changes. */
type Plan = Revert & { readonly apply: (options: ChangeOptions) => Promise<Revision> };

/** Reverts the change of one event: makes the inverse change, which is an event that names the reverted one. */
export class RevertEvent {
  readonly #events: FindEvent;
  readonly #targets: ChangeTargets;
  readonly #changes: Changes;

  constructor(events: FindEvent, targets: ChangeTargets, changes: Changes) {
    this.#events = events;
    this.#targets = targets;
    this.#changes = changes;
  }

  /**
   * Idempotent: if nothing but its revert followed, changes nothing and returns the event of that. Rejects with
   * `UnknownEvent`, with `NotRevertible`, with `ChangedSince` if a later event changed the same, with `EventLogUnavailable`, and as the
   * change does.
   */
  async revert(idOrPosition: string, options: ChangeOptions): Promise<Reverted> {
    const event = await this.#events.one(idOrPosition);
    const done = await this.#doneBy(event);
    if (done) return { reverted: event.id, ...unchanged(done, this.#targetOf(done)), event: done };
    const { apply, ...revert } = await this.#plan(event);
    const revision = await apply({ ...options, reverts: event.id }).catch((error) => {
      // Somebody changed it between the check and the change.
      throw error instanceof RevisionMismatch ? new ChangedSince(undefined) : error;
    });
    return { reverted: event.id, ...revert, event: await this.#recorded(event, revision) };
  }

  /** The effect of `revert` now. Changes nothing; rejects as `revert` does. */
  async preview(idOrPosition: string): Promise<Reverted> {
    const event = await this.#events.one(idOrPosition);
    const done = await this.#doneBy(event);
    if (done) return { reverted: event.id, ...unchanged(done, this.#targetOf(done)), event: done };
    const { apply: _, ...revert } = await this.#plan(event);
    return { reverted: event.id, ...revert, event: undefined };
  }

  /**
   * The event that reverted an event already. Rejects with `ChangedSince` if another event changed the same. Events
   * that were reverted since do not count, nor do their reverts.
   */
  async #doneBy(event: Event): Promise<Event | undefined> {
    try {
      await this.#events.settle();
    } catch (cause) {
      throw new EventLogUnavailable(cause);
    }
    const later = standing(await this.#events.later(event));
    const last = later.at(-1);
    if (!last) return undefined;
    if (later.length === 1 && last.change?.record.reverts === event.id) return last;
    throw new ChangedSince(last);
  }

  #targetOf(event: Event): ChangeTarget {
    const target = this.#targets.of(event);
    if (target) return target;
    throw new NotRevertible("The event is not a change that Tidegate made or detected, so there is nothing to revert.");
  }

  #plan(event: Event): Promise<Plan> {
    const target = this.#targetOf(event);
    const record = event.change?.record;
    if (record?.of === "set" && target.connection !== undefined)
      return this.#setPlan(event, record, target, target.connection);
    const [source] = target.sources;
    if (record?.of === "document" && record.collection === catalogueCollection)
      return this.#documentPlan(event, record, target, async (value, options) => {
        const { revision } = await this.#changes.catalogue.restore(record.name, value, options);
        return revision;
      });
    if (record?.of === "document" && source !== undefined)
      return this.#documentPlan(event, record, target, async (value, options) => {
        const { rules } = this.#changes;
        const { revision } =
          value === null
            ? await rules.remove(source, record.name, options)
            : await rules.put(await rules.check(source, record.name, value), options);
        return revision;
      });
    throw new NotRevertible(
      record && isOfFeatures(record)
        ? "No source reads what the event changed. Configure one, or change the store."
        : "Tokens, credentials and feeds cannot be reverted. Issue a new token or credential.",
    );
  }

  async #setPlan(event: Event, record: SetRecord, target: ChangeTarget, connection: string): Promise<Plan> {
    const { key, added: remove, removed: add } = record;
    if (record.origin === "baseline" || add.length + remove.length === 0)
      throw new NotRevertible("The event added and removed no features, so there is nothing to revert.");
    const { changeSet, sources } = this.#changes;
    const { features, revision } = await changeSet.read({ key, connection });
    const present = new Set(features);
    const last = await this.#events.last(event);
    if (!isSameRevision(last?.change?.record.revision, revision))
      throw new EventLogUnavailable(new Error(`the log does not have the last change of ${key} yet`));
    // A change outside Tidegate may not be recorded yet.
    if (add.some((feature) => present.has(feature)) || remove.some((feature) => !present.has(feature)))
      throw new ChangedSince(undefined);
    const isVeto = sources.sources.some(({ name, role }) => role === "veto" && target.sources.includes(name));
    const change = { key, connection, add, remove, ...(isVeto && { urgent: true }) };
    return {
      ...{ key, sources: target.sources, added: add, removed: remove },
      apply: async (options) => (await changeSet.apply(change, { ...options, ifRevision: revision ?? null })).revision,
    };
  }

  async #documentPlan(
    event: Event,
    record: DocumentRecord,
    { sources }: ChangeTarget,
    put: (value: Json, options: ChangeOptions) => Promise<Revision>,
  ): Promise<Plan> {
    const value = await this.#events.before(event);
    if (value === undefined)
      throw new NotRevertible("The event log does not contain the value before the event. Set it by hand.");
    // Later events may have changed it to and fro.
    const last = (await this.#events.last(event))?.change?.record ?? record;
    return {
      ...{ key: changedKey(record), sources, added: [], removed: [] },
      ...{ before: record.value, after: value },
      // A removed document has no revision.
      apply: (options) => put(value, { ...options, ifRevision: record.value === null ? null : last.revision }),
    };
  }

  /** The event of a revert, if the log has it. */
  async #recorded(event: Event, revision: Revision): Promise<Event | undefined> {
    try {
      await this.#events.settle();
      const last = await this.#events.last(event);
      return isSameRevision(last?.change?.record.revision, revision) ? last : undefined;
    } catch {
      return undefined;
    }
  }
}

/** The events, oldest first, without those that a later one reverts, and without those reverts. */
function standing(events: readonly Event[]): readonly Event[] {
  const ids = new Set(events.map(({ id }) => id));
  for (const { id, change } of events.toReversed()) {
    const reverted = change?.record.reverts;
    if (ids.has(id) && reverted !== undefined && ids.delete(reverted)) ids.delete(id);
  }
  return events.filter(({ id }) => ids.has(id));
}

/** No effect, since the event of a revert made it before. */
function unchanged({ change }: Event, { sources }: ChangeTarget): Revert {
  const record = change?.record;
  const key = record ? changedKey(record) : "";
  const values = record?.of === "document" && { before: record.value, after: record.value };
  return { key, sources, added: [], removed: [], ...values };
}
