let used = 0;

/** A name that nothing has, also if the test is repeated and finds what its first run left. */
export const unusedName = (name: string): string => `${name}-${++used}`;
