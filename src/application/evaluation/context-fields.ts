import type { ContextField, EvaluationContext } from "../../domain/evaluation/evaluation-context.ts";
import type { Source } from "../../domain/evaluation/source.ts";

const ids = ["userId", "targetingKey", "claimedUserId"] as const;

/**
 * Context fields that at least one source depends on. Contexts that are equal in them have equal results. Fields are
 * added if a source reads them without declaring them.
 */
export class ContextFields {
  readonly #fields = new Set<ContextField>();
  readonly #isAll: boolean;
  readonly #listeners: (() => void)[] = [];
  /** Increases when fields are added. */
  version = 0;
  #readsAttributes = false;

  constructor(sources: readonly Source[]) {
    const reads = sources.map(({ resolver }) => resolver.varyBy);
    this.#isAll = reads.includes(undefined);
    this.#add(reads.flatMap((fields) => fields ?? []));
  }

  /** Adds fields. Cache keys contain them from now on. */
  add(fields: readonly ContextField[]): void {
    this.#add(fields);
    this.version += 1;
    for (const changed of this.#listeners) changed();
  }

  #add(fields: readonly ContextField[]): void {
    for (const field of fields) this.#fields.add(field);
    this.#readsAttributes ||= fields.some((field) => field.startsWith("attributes"));
  }

  /** Calls the listener after fields were added. */
  onAdded(listener: () => void): void {
    this.#listeners.push(listener);
  }

  has(field: ContextField): boolean {
    if (this.#isAll || this.#fields.has(field)) return true;
    if (field === "attributes") return this.#readsAttributes;
    return field.startsWith("attributes.") && this.#fields.has("attributes");
  }

  /**
   * Cache key of a context: equal only for contexts that are equal in these fields. Its evaluation may add fields, so
   * compute the key again to cache the result.
   */
  varyKey({ userId, targetingKey, claimedUserId, locations, ip, attributes }: EvaluationContext): string {
    return JSON.stringify([
      this.has("userId") ? userId : 0,
      this.has("targetingKey") ? targetingKey : 0,
      this.has("claimedUserId") ? claimedUserId : 0,
      this.has("locations") ? locations : 0,
      this.has("ip") ? ip : 0,
      ...(attributes && this.has("attributes")
        ? Object.entries(attributes).filter(([name]) => this.has(`attributes.${name}`))
        : []),
    ]);
  }

  /**
   * The cache key of a context that many callers have; `undefined` if sources read an id in it. Results for one caller
   * would evict those for thousands, and outlive V8's young generation.
   */
  sharedKey(context: EvaluationContext): string | undefined {
    for (const id of ids) if (context[id] !== undefined && this.has(id)) return undefined;
    return this.varyKey(context);
  }
}
