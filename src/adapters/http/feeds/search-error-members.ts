import type { ProblemCode } from "../problems/problem-types.ts";

const paths = /^\/search(\/|$)/;

/** The members that the seed's search has in an error body; `undefined` for another path. */
export const searchErrorMembers = (path: string, code: ProblemCode, detail: string) =>
  paths.test(path) ? { data: null, error: { code, message: detail } } : undefined;
