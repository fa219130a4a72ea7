import type { ProblemCode } from "../problems/problem-types.ts";

const paths = /^\/search(\/|$)/;

/**
 * The members that `/search` adds to an error body, for clients of the service that Tidegate replaces; `undefined` for
 * another path.
 */
export const searchErrorMembers = (path: string, code: ProblemCode, detail: string) =>
  paths.test(path) ? { data: null, error: { code, message: detail } } : undefined;
