import { randomUUID } from "node:crypto";

const usable = /^[A-Za-z0-9._-]{1,64}$/;

/** The request id from the caller or a proxy, if it is 1 to 64 of `A-Z a-z 0-9 . _ -`; otherwise a new one. */
export const requestId = (input: string | string[] | undefined): string =>
  typeof input === "string" && usable.test(input) ? input : randomUUID();
