import type { Intersection } from "../../adapters/http/intersection.ts";

/** Makes something on the first call, and returns the same from then on. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** An object whose members are made on first use. */
export function lazy<T extends Readonly<Record<string, () => unknown>>>(makers: T) {
  const object = {} as { readonly [Name in keyof T]: ReturnType<T[Name]> };
  for (const [name, make] of Object.entries(makers)) Object.defineProperty(object, name, { get: once(make) });
  return object;
}

/** One object with the members of several. What is made on first use stays so. */
export function together<Parts extends readonly object[]>(...parts: Parts): Intersection<Parts[number]> {
  const members: PropertyDescriptorMap = Object.assign({}, ...parts.map(Object.getOwnPropertyDescriptors));
  return Object.defineProperties({}, members) as Intersection<Parts[number]>;
}
