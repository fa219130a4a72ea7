import sql, { empty, join, type Sql } from "sql-template-tag";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../../domain/evaluation/feature.ts";
import {
  stepStart,
  type UsageCount,
  type UsageSpan,
  type UsageStep,
  type UsageStore,
  usageSteps,
} from "../../../domain/usage/usage-store.ts";
import { inChunks } from "../../in-chunks.ts";
import type { Database, Transaction } from "../database/database.ts";
import { indexedFeature, removeUnusedTexts, wholeTexts, writeLongTexts } from "../database/indexed-text.ts";
import { insertInto } from "../database/insert-into.ts";
import { lockedHead } from "../log/writer.ts";

const minuteMs = usageSteps.minute.length;
const steps = Object.keys(usageSteps) as UsageStep[];

/** Below the limit for parameters of a statement in both databases. */
const rowsPerStatement = 1_000;

/** The length of a step as a column value. */
const minutesOf = (step: UsageStep): number => usageSteps[step].length / minuteMs;

/** An instant as a column value. */
const inMinutes = (at: Instant): number => Math.ceil(at / minuteMs);

/** Usage store in the database of the event log. */
export function sqlUsage(database: Database): UsageStore {
  function featuresIn(rows: readonly { readonly feature: string }[]): Promise<readonly FeatureKey[]> {
    return wholeTexts(
      database,
      rows.map(({ feature }) => feature),
    );
  }

  /** The begin of the first day with counts; of its first hour and minute, as far as these are kept. */
  async function since(): Promise<Instant | undefined> {
    let since: Instant | undefined;
    let until = Number.POSITIVE_INFINITY;
    for (const step of steps.toReversed()) {
      const [first] = await database.query<{ start: number | null }>(
        sql`select min(start) as start from usage_counts where step = ${minutesOf(step)}`,
      );
      const start = first?.start ?? null;
      if (start === null || start * minuteMs >= until) break;
      since = start * minuteMs;
      until = since + usageSteps[step].length;
    }
    return since;
  }

  return {
    async add(minute, counts) {
      if (counts.length === 0) return;
      await database.transaction(async (transaction) => {
        for (const some of inChunks(counts, rowsPerStatement)) await addSome(transaction, minute, some);
      });
    },
    async points(span, features) {
      const rows = await database.query<SumRow & { feature: string; start: number }>(sql`
        select feature, start,
          sum(case when is_on = ${true} then evaluations else 0 end) as "on",
          sum(case when is_on = ${false} then evaluations else 0 end) as "off"
        ${counts(span, features)}
        group by start, feature
        order by start, feature`);
      const names = await featuresIn(rows);
      return rows.map(({ start, on, off }, index) => ({
        feature: names[index] ?? "",
        start: start * minuteMs,
        on: Number(on),
        off: Number(off),
      }));
    },
    async sums(span, feature) {
      const rows = await database.query<ResultRow & { count: number | string }>(sql`
        select variant, is_on, via, sum(evaluations) as count
        ${counts(span, [feature])}
        group by variant, is_on, via`);
      return rows.map(({ variant, is_on, via, count }) => ({
        feature,
        ...(variant !== "" && { variant }),
        on: Boolean(is_on),
        via,
        count: Number(count),
      }));
    },
    async lastUses(features) {
      const rows = await database.query<{ feature: string; used_at: number }>(sql`
        select feature, max(used_at) as used_at from usage_series
        where used_at is not null ${ofFeatures(features)}
        group by feature`);
      const names = await featuresIn(rows);
      return {
        since: await since(),
        uses: new Map(rows.map(({ used_at }, index) => [names[index] ?? "", Number(used_at) * minuteMs])),
      };
    },
    async expire(now) {
      for (const step of steps) {
        await database.query(sql`
          delete from usage_counts
          where step = ${minutesOf(step)} and start < ${inMinutes(stepStart(now - usageSteps[step].kept, step))}`);
      }
      const removed = await database.query(sql`
        delete from usage_series
        where (used_at is null or used_at < ${inMinutes(now - usageSteps.day.kept)})
          and not exists (select 1 from usage_counts where series = usage_series.id)
        returning id`);
      if (removed.length === 0) return;
      await database.transaction(async (transaction) => {
        await lockedHead(transaction);
        await removeUnusedTexts(transaction);
      });
    },
  };
}

const counts = ({ step, from, until }: UsageSpan, features: readonly FeatureKey[] | undefined): Sql => sql`
  from usage_counts join usage_series on usage_series.id = usage_counts.series
  where step = ${minutesOf(step)} and start >= ${inMinutes(from)} and start < ${inMinutes(until)}
    ${ofFeatures(features)}`;

function ofFeatures(features: readonly FeatureKey[] | undefined): Sql {
  if (features === undefined) return empty;
  return features.length > 0 ? sql`and feature in (${join(features.map(indexedFeature))})` : sql`and false`;
}

/** The result of a series. */
type ResultRow = { readonly variant: string; readonly is_on: boolean; readonly via: UsageCount["via"] };

/** PostgreSQL returns sums as texts. */
type SumRow = { readonly on: number | string; readonly off: number | string };

type SeriesRow = Pick<UsageCount, "on" | "via"> & { readonly feature: string; readonly variant: string };

const keyOf = ({ feature, variant, on, via }: SeriesRow): string => JSON.stringify([feature, variant, on, via]);

async function addSome(transaction: Transaction, minute: Instant, counts: readonly UsageCount[]) {
  const rows = counts.map((each) => ({ ...each, feature: indexedFeature(each.feature), variant: each.variant ?? "" }));
  const long = counts.flatMap(({ feature }, index) => {
    const indexed = rows[index]?.feature ?? feature;
    return indexed === feature ? [] : [[indexed, feature] as const];
  });
  if (long.length > 0) {
    // Retention removes unused texts meanwhile.
    await lockedHead(transaction);
    await writeLongTexts(transaction, new Map(long));
  }
  const used = (via: UsageCount["via"], on: boolean) => (on || via !== "response" ? inMinutes(minute) : null);
  // In one order, so that concurrent transactions wait for each other and do not deadlock.
  const sorted = rows.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  const rowsOfSeries = sorted.map(({ feature, variant, on, via }) => ({
    feature,
    variant,
    is_on: on,
    via,
    used_at: used(via, on),
  }));
  const series = await transaction.query<ResultRow & { id: number; feature: string }>(sql`
    ${insertInto("usage_series", rowsOfSeries)}
    on conflict (feature, variant, is_on, via) do update set used_at = case
      when excluded.used_at > coalesce(usage_series.used_at, 0) then excluded.used_at
      else usage_series.used_at end
    returning id, feature, variant, is_on, via`);
  const ids = new Map(
    series.map(({ id, feature, variant, is_on, via }) => [keyOf({ feature, variant, on: Boolean(is_on), via }), id]),
  );
  const rowsOfCounts = sorted.flatMap((row) =>
    steps.map((step) => ({
      step: minutesOf(step),
      start: inMinutes(stepStart(minute, step)),
      series: ids.get(keyOf(row)),
      evaluations: row.count,
    })),
  );
  await transaction.query(sql`
    ${insertInto("usage_counts", rowsOfCounts)}
    on conflict (step, start, series) do update set evaluations = usage_counts.evaluations + excluded.evaluations`);
}
