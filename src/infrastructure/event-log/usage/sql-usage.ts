import { sql, type Transaction } from "kysely";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../../domain/evaluation/feature.ts";
import {
  type LastUses,
  stepStart,
  type UsageCount,
  type UsagePoint,
  type UsageSpan,
  type UsageStep,
  type UsageStore,
  usageSteps,
} from "../../../domain/usage/usage-store.ts";
import { inChunks } from "../../in-chunks.ts";
import type { Database } from "../database/database.ts";
import { indexedFeature, removeUnusedTexts, wholeTexts, writeLongTexts } from "../database/indexed-text.ts";
import type { Tables } from "../database/tables.ts";
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
export class SqlUsage implements UsageStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async add(minute: Instant, counts: readonly UsageCount[]): Promise<void> {
    if (counts.length === 0) return;
    await this.#database.transaction().execute(async (transaction) => {
      for (const some of inChunks(counts, rowsPerStatement)) await addSome(transaction, minute, some);
    });
  }

  async points(span: UsageSpan, features?: readonly FeatureKey[]): Promise<readonly UsagePoint[]> {
    const sumOf = (isOn: boolean) =>
      sql<number | string>`sum(case when ${sql.ref("is_on")} = ${isOn} then ${sql.ref("evaluations")} else 0 end)`;
    const rows = await this.#counts(span, features)
      .groupBy(["start", "feature"])
      .orderBy("start")
      .orderBy("feature")
      .select(["feature", "start", sumOf(true).as("on"), sumOf(false).as("off")])
      .execute();
    const names = await this.#featuresIn(rows);
    return rows.map(({ start, on, off }, index) => ({
      feature: names[index] ?? "",
      start: start * minuteMs,
      on: Number(on),
      off: Number(off),
    }));
  }

  async sums(span: UsageSpan, feature: FeatureKey): Promise<readonly UsageCount[]> {
    const rows = await this.#counts(span, [feature])
      .groupBy(["variant", "is_on", "via"])
      .select(({ fn }) => ["variant", "is_on", "via", fn.sum<number | string>("evaluations").as("count")])
      .execute();
    return rows.map(({ variant, is_on, via, count }) => ({
      feature,
      ...(variant !== "" && { variant }),
      on: Boolean(is_on),
      via,
      count: Number(count),
    }));
  }

  async lastUses(features?: readonly FeatureKey[]): Promise<LastUses> {
    const all = this.#database.selectFrom("usage_series").where("used_at", "is not", null);
    const rows = await (features ? all.where("feature", "in", features.map(indexedFeature)) : all)
      .groupBy("feature")
      .select(({ fn }) => ["feature", fn.max<number>("used_at").as("used_at")])
      .execute();
    const names = await this.#featuresIn(rows);
    return {
      since: await this.#since(),
      uses: new Map(rows.map(({ used_at }, index) => [names[index] ?? "", Number(used_at) * minuteMs])),
    };
  }

  async expire(now: Instant): Promise<void> {
    for (const step of steps) {
      await this.#database
        .deleteFrom("usage_counts")
        .where("step", "=", minutesOf(step))
        .where("start", "<", inMinutes(stepStart(now - usageSteps[step].kept, step)))
        .execute();
    }
    const { numDeletedRows } = await this.#database
      .deleteFrom("usage_series")
      .where(({ or, eb }) => or([eb("used_at", "is", null), eb("used_at", "<", inMinutes(now - usageSteps.day.kept))]))
      .where(({ not, exists, selectFrom }) =>
        not(exists(selectFrom("usage_counts").whereRef("series", "=", "usage_series.id").select("series"))),
      )
      .executeTakeFirst();
    if (numDeletedRows === 0n) return;
    await this.#database.transaction().execute(async (transaction) => {
      await lockedHead(transaction);
      await removeUnusedTexts(transaction);
    });
  }

  #counts({ step, from, until }: UsageSpan, features: readonly FeatureKey[] | undefined) {
    const counts = this.#database
      .selectFrom("usage_counts")
      .innerJoin("usage_series", "usage_series.id", "usage_counts.series")
      .where("step", "=", minutesOf(step))
      .where("start", ">=", inMinutes(from))
      .where("start", "<", inMinutes(until));
    return features ? counts.where("feature", "in", features.map(indexedFeature)) : counts;
  }

  #featuresIn(rows: readonly { readonly feature: string }[]): Promise<readonly FeatureKey[]> {
    return wholeTexts(
      this.#database,
      rows.map(({ feature }) => feature),
    );
  }

  /** The begin of the first day with counts; of its first hour and minute, as far as these are kept. */
  async #since(): Promise<Instant | undefined> {
    let since: Instant | undefined;
    let until = Number.POSITIVE_INFINITY;
    for (const step of steps.toReversed()) {
      const { start } = await this.#database
        .selectFrom("usage_counts")
        .where("step", "=", minutesOf(step))
        .select(({ fn }) => fn.min<number | null>("start").as("start"))
        .executeTakeFirstOrThrow();
      if (start === null || start * minuteMs >= until) break;
      since = start * minuteMs;
      until = since + usageSteps[step].length;
    }
    return since;
  }
}

type SeriesRow = Pick<UsageCount, "on" | "via"> & { readonly feature: string; readonly variant: string };

const keyOf = ({ feature, variant, on, via }: SeriesRow): string => JSON.stringify([feature, variant, on, via]);

async function addSome(transaction: Transaction<Tables>, minute: Instant, counts: readonly UsageCount[]) {
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
  const series = await transaction
    .insertInto("usage_series")
    .values(
      sorted.map(({ feature, variant, on, via }) => ({ feature, variant, is_on: on, via, used_at: used(via, on) })),
    )
    .onConflict((conflict) =>
      conflict.columns(["feature", "variant", "is_on", "via"]).doUpdateSet(({ ref }) => ({
        used_at: sql<number | null>`case
          when ${ref("excluded.used_at")} > coalesce(${ref("usage_series.used_at")}, 0) then ${ref("excluded.used_at")}
          else ${ref("usage_series.used_at")} end`,
      })),
    )
    .returning(["id", "feature", "variant", "is_on", "via"])
    .execute();
  const ids = new Map(
    series.map(({ id, feature, variant, is_on, via }) => [keyOf({ feature, variant, on: Boolean(is_on), via }), id]),
  );
  await transaction
    .insertInto("usage_counts")
    .values(
      sorted.flatMap((row) => {
        const id = ids.get(keyOf(row));
        if (id === undefined) return [];
        return steps.map((step) => ({
          step: minutesOf(step),
          start: inMinutes(stepStart(minute, step)),
          series: id,
          evaluations: row.count,
        }));
      }),
    )
    .onConflict((conflict) =>
      conflict.columns(["step", "start", "series"]).doUpdateSet(({ ref }) => ({
        evaluations: sql<number>`${ref("usage_counts.evaluations")} + ${ref("excluded.evaluations")}`,
      })),
    )
    .execute();
}
