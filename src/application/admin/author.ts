import type { ChangeMeta } from "../../domain/admin/change.ts";

/** Who has something changed, and under which conditions. */
export type ChangeAuthor = Omit<ChangeMeta, "id">;
