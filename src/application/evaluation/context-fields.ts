import type { ContextField, EvaluationContext } from "../../domain/evaluation/evaluation-context.ts";
import type { Source } from "../../domain/evaluation/source.ts";

/** Context fields that at least one source depends on. Contexts that are equal in them have equal results. */
export class ContextFields {
  readonly #fields: ReadonlySet<ContextField>;
  readonly #isAll: boolean;
  readonly #readsAttributes: boolean;

  constructor(sources: readonly Source[]) {
    const reads = sources.map(({ resolver }) => resolver.varyBy);
    this.#isAll = reads.includes(undefined);
    this.#fields = new Set(reads.flatMap((fields) => fields ?? []));
    this.#readsAttributes = [...this.#fields].some((field) => field.startsWith("attributes"));
  }

  has(field: ContextField): boolean {
    if (this.#isAll || this.#fields.has(field)) return true;
    if (field === "attributes") return this.#readsAttributes;
    return field.startsWith("attributes.") && this.#fields.has("attributes");
  }

  /** Cache key of a context: equal only for contexts that are equal in these fields. */
  varyKey({ userId, targetingKey, locations, ip, attributes }: EvaluationContext): string {
    return JSON.stringify([
      this.has("userId") ? userId : 0,
      this.has("targetingKey") ? targetingKey : 0,
      this.has("locations") ? locations : 0,
      this.has("ip") ? ip : 0,
      ...(attributes && this.has("attributes")
        ? Object.entries(attributes).filter(([name]) => this.has(`attributes.${name}`))
        : []),
    ]);
  }
}
