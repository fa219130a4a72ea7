import type { SqlActivityLog } from "./sql-activity-log.ts";
import type { SqlHistory } from "./sql-history.ts";

/** What is asked of the thread. */
export type Answerers = {
  readonly log: Pick<SqlActivityLog, keyof SqlActivityLog>;
  readonly history: Pick<SqlHistory, keyof SqlHistory>;
};

/** A call of a method, or that there will be no other. */
export type Request = {
  readonly id: number;
  readonly of: keyof Answerers;
  readonly method: string;
  readonly given: readonly unknown[];
};

/** What a call came to. `isRefusal`: it can never be done; else it could not be at the moment. */
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly reason: string; readonly isRefusal: boolean };

/** That the file of the log is lost, and why; `undefined`: that it is back. */
export type FileState = { readonly fault: string | undefined };

/** Instead of a request: there will be no more. */
export const noMore = "no more";
