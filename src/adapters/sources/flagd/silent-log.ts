/** A logger for flagd's library, which would write to the console. */
export const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
