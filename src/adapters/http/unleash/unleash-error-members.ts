import type { ProblemCode } from "../problems/problem-types.ts";

/** The paths of Unleash's frontend and client API. */
const paths = /^\/api\/(frontend|proxy|client)(\/|$)/;

/** Whether a path belongs to Unleash's frontend or client API. */
export const isUnleashPath = (path: string): boolean => paths.test(path);

/** The members that Unleash has in an error body; `undefined` for the path of another route. */
export const unleashError = (path: string, code: ProblemCode, detail: string) =>
  isUnleashPath(path) ? { name: code, message: detail, details: [{ message: detail }] } : undefined;
