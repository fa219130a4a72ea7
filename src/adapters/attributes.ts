import { InvalidContext } from "../domain/errors.ts";
import type { Attribute } from "../domain/evaluation/evaluation-context.ts";
import { isValue, longestValue } from "../domain/evaluation/key-template.ts";
import type { ContextOptions } from "./http/client/context-options.ts";

type Declared = ContextOptions["attributes"][string];
type Given = Readonly<Record<string, Attribute>>;

/** Reads the attributes that the configuration declares from requests. */
export class Attributes {
  readonly #declared: readonly (readonly [name: string, Declared])[];

  constructor(declared: ContextOptions["attributes"]) {
    this.#declared = Object.entries(declared);
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
  in(query: (name: string) => readonly string[], header: (name: string) => string | undefined): Given | undefined {
    const given: [string, Attribute][] = [];
    for (const [name, declared] of this.#declared) {
      const text = textOf(declared, query, header);
      if (text !== undefined) given.push([name, read(text, name, declared)]);
    }
    return given.length > 0 ? Object.fromEntries(given) : undefined;
  }

  /**
   * Validates attributes that an operator gives explicitly. Throws `InvalidContext` for one that is undeclared or
   * invalid.
   */
  checked(said: Given): Given {
    for (const [name, value] of Object.entries(said)) {
      const declared = this.#find(name);
      if (typeof value !== declared.type) throw new InvalidContext(`The attribute ${name} is a ${declared.type}.`);
      read(String(value), name, declared);
    }
    return said;
  }

  /** As `checked`, for pairs of name and text. */
  named(texts: readonly (readonly [name: string, text: string])[]): Given {
    return Object.fromEntries(texts.map(([name, text]) => [name, read(text, name, this.#find(name))]));
  }

  #find(name: string): Declared {
    const declared = this.#declared.find(([known]) => known === name)?.[1];
    if (declared) return declared;
    const known = this.#declared.map(([each]) => each).join(", ");
    throw new InvalidContext(
      `There is no attribute ${JSON.stringify(name)}; the configuration declares: ${known || "none"}.`,
    );
  }
}

function textOf(
  { query: parameter, header: headerName }: Declared,
  query: (name: string) => readonly string[],
  header: (name: string) => string | undefined,
): string | undefined {
  const [value, another] = parameter === undefined ? [] : query(parameter);
  if (another !== undefined) throw new InvalidContext(`The query parameter "${parameter}" is given twice; send one.`);
  return value ?? (headerName === undefined ? undefined : header(headerName.toLowerCase()));
}

function read(text: string, name: string, { type, pattern }: Declared): Attribute {
  const refuse = (wayOut: string): never => {
    throw new InvalidContext(`The attribute ${name} ${wayOut}.`);
  };
  switch (type) {
    case "number":
      return /^-?\d{1,15}(\.\d{1,15})?$/.test(text)
        ? Number(text)
        : refuse("is a number; send digits, as in 12 or 1.5");
    case "boolean":
      return text === "true" ? true : text === "false" ? false : refuse("is true or false; send one of these");
    case "string":
      if (!isValue(text)) refuse(`has 1 to ${longestValue} printable characters; send that, or leave it out`);
      return !pattern || pattern.test(text)
        ? text
        : refuse(`has the form ${pattern.pattern()}; send that, or leave it out`);
  }
}
