/** Calls `use` with a value: at once if it is here, as a cached read is, otherwise when it comes. */
export const whenHere = <T, Result>(value: T | Promise<T>, use: (value: T) => Result | Promise<Result>) =>
  value instanceof Promise ? value.then(use) : use(value);
