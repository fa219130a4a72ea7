import { InvalidContext } from "../domain/errors.ts";
import type { Json } from "../domain/evaluation/feature.ts";
import { isValue, valueRule } from "../domain/evaluation/key-template.ts";
import { type ContextOptions, contextFields } from "./context-options.ts";

type Declared = Exclude<ContextOptions["attributes"], "any">[string];
type Scalar = string | number | boolean;
type AttributeValues = Readonly<Record<string, Scalar>>;

/** Reads the attributes that the configuration declares from requests. */
export class Attributes {
  readonly #declared: readonly (readonly [name: string, Declared])[];
  /** Whether undeclared attributes in a body are passed to rules as they are. */
  readonly #isAny: boolean;

  constructor(declared: ContextOptions["attributes"]) {
    this.#isAny = declared === "any";
    this.#declared = declared === "any" ? [] : Object.entries(declared);
  }

  /** Names of the query parameters that carry attributes. */
  get parameters(): readonly string[] {
    return this.#declared.flatMap(([, { query }]) => query ?? []);
  }

  /** Names of the headers that carry the attributes for which `isWanted` holds, as configured. */
  headers(isWanted: (name: string) => boolean): readonly string[] {
    return this.#declared.flatMap(([name, { header }]) => (header !== undefined && isWanted(name) ? [header] : []));
  }

  /**
   * The attributes of a request; `undefined` if it has none. `query` returns all values of a parameter. Throws
   * `InvalidContext` for a repeated parameter and for an invalid value.
   */
  in(
    query: (name: string) => readonly string[],
    header: (name: string) => string | undefined,
  ): AttributeValues | undefined {
    const values: [string, Scalar][] = [];
    for (const [name, declared] of this.#declared) {
      const text = textOf(declared, query, header);
      if (text !== undefined) values.push([name, read(text, name, declared)]);
    }
    return values.length > 0 ? Object.fromEntries(values) : undefined;
  }

  /**
   * The attributes in the context of a body; `undefined` if it has none. Ignores undeclared ones, unless any are
   * allowed: then all fields are attributes, nested ones too, but for those of every context. Throws `InvalidContext`
   * for an invalid value.
   */
  inFields(
    fields: Readonly<Record<string, Json>>,
    header: (name: string) => string | undefined,
  ): Readonly<Record<string, Json>> | undefined {
    const values: [string, Json][] = this.#isAny
      ? Object.entries(fields).filter(([name, value]) => value !== null && !contextFields.includes(name))
      : this.#declared.flatMap(([name, declared]) => {
          const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
          const text = value ?? (declared.header === undefined ? undefined : header(declared.header.toLowerCase()));
          return text === undefined ? [] : [[name, read(scalarText(text, name, declared), name, declared)]];
        });
    return values.length > 0 ? Object.fromEntries(values) : undefined;
  }

  /**
   * Validates attributes that an operator gives explicitly. Throws `InvalidContext` for one that is undeclared or
   * invalid.
   */
  checked(values: AttributeValues): AttributeValues {
    if (this.#isAny) return values;
    for (const [name, value] of Object.entries(values)) {
      const declared = this.#find(name);
      if (typeof value !== declared.type)
        throw new InvalidContext(`Invalid attribute ${name} (expected a ${declared.type}).`);
      read(String(value), name, declared);
    }
    return values;
  }

  /** As `checked`, for pairs of name and text. */
  named(texts: readonly (readonly [name: string, text: string])[]): AttributeValues {
    if (this.#isAny) return Object.fromEntries(texts);
    return Object.fromEntries(texts.map(([name, text]) => [name, read(text, name, this.#find(name))]));
  }

  #find(name: string): Declared {
    const declared = this.#declared.find(([known]) => known === name)?.[1];
    if (declared) return declared;
    const known = this.#declared.map(([each]) => each).join(", ");
    throw new InvalidContext(
      `Unknown attribute ${JSON.stringify(name)}. The configuration declares: ${known || "none"}.`,
    );
  }
}

function textOf(
  { query: parameter, header: headerName }: Declared,
  query: (name: string) => readonly string[],
  header: (name: string) => string | undefined,
): string | undefined {
  const [value, another] = parameter === undefined ? [] : query(parameter);
  if (another !== undefined) throw new InvalidContext(`The query parameter "${parameter}" is repeated. Send it once.`);
  return value ?? (headerName === undefined ? undefined : header(headerName.toLowerCase()));
}

function scalarText(value: Json, name: string, { type }: Declared): string {
  if (typeof value !== "object") return String(value);
  throw new InvalidContext(`Invalid attribute ${name} (expected a ${type}).`);
}

function read(text: string, name: string, { type, pattern }: Declared): Scalar {
  const reject = (expected: string): never => {
    throw new InvalidContext(`Invalid attribute ${name} (expected ${expected}).`);
  };
  switch (type) {
    case "number":
      return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : reject("a number, for example 12 or 1.5");
    case "boolean":
      return text === "true" ? true : text === "false" ? false : reject("true or false");
    case "string":
      if (!isValue(text)) reject(valueRule);
      return !pattern || pattern.test(text) ? text : reject(`a text that matches ${pattern.pattern()}`);
  }
}
