import type { ContextField, EvaluationContext } from "../../domain/evaluation/evaluation-context.ts";
import type { Source } from "../../domain/evaluation/source.ts";

/** The fields of a context that some source goes by: whoever agrees in them gets the same answer. */
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

  /** A text that is the same for contexts which agree in these fields, and for no others. */
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
