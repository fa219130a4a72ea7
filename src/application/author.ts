import type { Change } from "../domain/change.ts";

/** Who has something changed, and under which conditions. */
export type Author = Omit<Change, "id">;
