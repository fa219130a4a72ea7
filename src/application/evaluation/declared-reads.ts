import type { ContextField, EvaluationContext } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureResolver } from "../../domain/evaluation/feature-resolver.ts";
import type { SourceResult } from "../../domain/evaluation/source-result.ts";

type Report = (fields: readonly ContextField[]) => void;

/** Optional fields of a context. Listing the fields of a context reveals which are present. */
const optional = [
  "userId",
  "targetingKey",
  "claimedUserId",
  "locations",
  "ip",
] as const satisfies readonly (keyof EvaluationContext)[];
const isOptional = (name: string): name is (typeof optional)[number] => (optional as readonly string[]).includes(name);

/**
 * A copy of a context that reports the fields that are read, before their values are returned. A test for presence is
 * a read; a listing, such as a spread, reads all. `attributes` is an object even if the context has none, so that only
 * reads of single attributes count. The copy is a proxy, which cannot be posted to a thread; a spread of it can.
 */
export function observedContext(context: EvaluationContext, report: Report): EvaluationContext {
  const attributes = observed({ ...context.attributes }, (name) =>
    report([name === undefined ? "attributes" : `attributes.${name}`]),
  );
  return observed({ ...context, attributes }, (name) => {
    if (name === undefined) report(optional);
    else if (isOptional(name)) report([name]);
  });
}

/** Calls `read` with the name of each property that is read, and with `undefined` if the properties are listed. */
function observed<T extends object>(copy: T, read: (name: string | undefined) => void): T {
  const readNamed = (name: string | symbol) => void (typeof name === "string" && read(name));
  return new Proxy(copy, {
    get(target, name) {
      readNamed(name);
      return Reflect.get(target, name);
    },
    has(target, name) {
      readNamed(name);
      return Reflect.has(target, name);
    },
    getOwnPropertyDescriptor(target, name) {
      readNamed(name);
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
    ownKeys(target) {
      read(undefined);
      return Reflect.ownKeys(target);
    },
  });
}

/**
 * Declared reads: a resolver whose `varyBy` cannot be wrong by omission. It reports each context field that the source
 * reads without declaring it, once, before the source receives the value. From then on `varyBy` contains the field.
 */
export class DeclaredReads implements FeatureResolver {
  readonly #resolver: FeatureResolver;
  readonly #declared: Set<ContextField>;
  readonly #undeclared: Report;

  private constructor(resolver: FeatureResolver, varyBy: readonly ContextField[], undeclared: Report) {
    this.#resolver = resolver;
    this.#declared = new Set(varyBy);
    this.#undeclared = undeclared;
  }

  /** Returns the resolver itself if it varies by all fields. */
  static of(resolver: FeatureResolver, undeclared: Report): FeatureResolver {
    return resolver.varyBy ? new DeclaredReads(resolver, resolver.varyBy, undeclared) : resolver;
  }

  get varyBy(): readonly ContextField[] {
    return [...this.#declared];
  }

  resolve(context: EvaluationContext): SourceResult | Promise<SourceResult> {
    return this.#resolver.resolve(observedContext(context, (fields) => this.#read(fields)));
  }

  async dispose(): Promise<void> {
    await this.#resolver.dispose?.();
  }

  #read(fields: readonly ContextField[]): void {
    const missing = fields.filter((field) => !this.#isDeclared(field));
    if (missing.length === 0) return;
    for (const field of missing) this.#declared.add(field);
    this.#undeclared(missing);
  }

  #isDeclared(field: ContextField): boolean {
    return this.#declared.has(field) || (field.startsWith("attributes.") && this.#declared.has("attributes"));
  }
}
