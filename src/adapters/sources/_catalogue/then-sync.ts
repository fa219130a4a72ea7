/** Calls `use` with a value: synchronously unless it is a promise, as a cached read mostly is not. */
export const thenSync = <T, Result>(value: T | Promise<T>, use: (value: T) => Result | Promise<Result>) =>
  value instanceof Promise ? value.then(use) : use(value);
