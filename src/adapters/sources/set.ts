import { HistoryUnavailable } from "../../domain/errors.ts";
import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { ContextField, EvaluationContext, Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { FeatureResolver } from "../../domain/evaluation/feature-resolver.ts";
import type { FeatureSet } from "../../domain/evaluation/feature-sets.ts";
import { emptyResult, type Resolution, type SourceResult } from "../../domain/evaluation/source-result.ts";
import { defineSource, type Keys, type SourceHost } from "./_catalogue/source.ts";
import { thenSync } from "./_catalogue/then-sync.ts";

const warnEveryMs = 60_000;

export const source = defineSource({
  summary: "Switches on the members of a set in a store (Redis or SQLite).",
  options: ({ z, connection, keyTemplate }) =>
    z.strictObject({
      connection: connection.describe("The connection with the set."),
      key: keyTemplate.describe(
        "The key of the set. A segment may be `{userId}` or `{location}`; the source is empty for a caller without that field. A caller in `es/madrid` has the features of the set of `es`, too.",
      ),
      maxMembers: z.coerce
        .number()
        .int()
        .min(1)
        .max(1_000_000)
        .default(10_000)
        .describe("Maximum number of members. A read of a larger set fails."),
    }),
  example: { connection: "features", key: "location:{location}" },
  editable: { set: "key", limit: "maxMembers" },
  deterministic: true,
  create: ({ key }, host) => new SetFeatureResolver(key, host),
});

/**
 * Set resolver: the features in the context's set are on. If the context has several locations, the union of their sets
 * is on.
 */
class SetFeatureResolver implements FeatureResolver {
  readonly varyBy: readonly ContextField[];
  readonly #key: Keys;
  readonly #resolution: Resolution;
  readonly #host: SourceHost;
  #last: { readonly set: FeatureSet; readonly on: ReadonlyMap<FeatureKey, Resolution> } | undefined;
  #warnedAt = Number.NEGATIVE_INFINITY;

  constructor(key: Keys, host: SourceHost) {
    this.#key = key;
    this.varyBy = key.fields.map((field) => (field === "location" ? "locations" : field));
    this.#host = host;
    this.#resolution = { on: true, value: true, reason: key.fields.length > 0 ? "TARGETING_MATCH" : "STATIC" };
  }

  resolve(context: EvaluationContext): SourceResult | Promise<SourceResult> {
    const keys = this.#key.keysFor(context);
    const key = keys[0];
    if (key === undefined) return emptyResult;
    if (keys.length > 1) return this.#ofSeveral(keys, context.at);
    return thenSync(this.#host.readSet(key), (cached) => this.#evaluate(key, cached, context.at));
  }

  #evaluate(key: string, cached: CachedRead<FeatureSet>, at: Instant): SourceResult {
    if (cached.value.invalidMembers > 0) this.#warn(cached.value.invalidMembers, key, at);
    return { features: this.#on(cached.value), dependencies: [cached], validUntil: Number.POSITIVE_INFINITY };
  }

  /** Caches the last map: with a fixed key, it serves every call until the set changes. */
  #on(set: FeatureSet): ReadonlyMap<FeatureKey, Resolution> {
    if (this.#last?.set !== set) {
      const on = new Map<FeatureKey, Resolution>();
      for (const feature of set.features) on.set(feature, this.#resolution);
      this.#last = { set, on };
    }
    return this.#last.on;
  }

  /** Starts all reads in the same turn, and waits for each of them, even if one throws at once. */
  #ofSeveral(keys: readonly string[], at: Instant): SourceResult | Promise<SourceResult> {
    const reads = keys.map((key) => {
      try {
        return this.#host.readSet(key);
      } catch (cause) {
        return Promise.reject(cause);
      }
    });
    return areHere(reads)
      ? this.#merged(keys, reads, at)
      : Promise.all(reads).then(
          (from) => this.#merged(keys, from, at),
          () => failureOf(reads),
        );
  }

  /** Merges several sets. The metadata of a feature names the first set that contains it. */
  #merged(keys: readonly string[], from: readonly CachedRead<FeatureSet>[], at: Instant): SourceResult {
    const features = new Map<FeatureKey, Resolution>();
    for (const [index, { value }] of from.entries()) {
      const key = keys[index] ?? "";
      if (value.invalidMembers > 0) this.#warn(value.invalidMembers, key, at);
      const resolution = { ...this.#resolution, metadata: { set: key } };
      for (const feature of value.features) if (!features.has(feature)) features.set(feature, resolution);
    }
    return { features, dependencies: from, validUntil: Number.POSITIVE_INFINITY };
  }

  #warn(invalidMembers: number, key: string, at: number): void {
    // The distance counts in both directions, because calls can evaluate past and future instants.
    if (Math.abs(at - this.#warnedAt) < warnEveryMs) return;
    this.#warnedAt = at;
    this.#host.warn(
      { source: this.#host.name, key, invalidMembers },
      "ignored members that are not valid feature keys",
    );
  }
}

const areHere = (
  reads: readonly (CachedRead<FeatureSet> | Promise<CachedRead<FeatureSet>>)[],
): reads is readonly CachedRead<FeatureSet>[] => !reads.some((read) => read instanceof Promise);

/** Rejects with the first failure of the reads. If all failures are missing history, combines them into one error. */
async function failureOf(reads: readonly unknown[]): Promise<never> {
  const outcomes = await Promise.allSettled(reads);
  const failures = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
  const missing = failures.flatMap((failure) => (failure instanceof HistoryUnavailable ? failure.parts : []));
  throw failures.find((failure) => !(failure instanceof HistoryUnavailable)) ?? new HistoryUnavailable(missing);
}
