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
