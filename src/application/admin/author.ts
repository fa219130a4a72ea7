import type { ChangeMeta } from "../../domain/admin/change.ts";

/** The author of a change, its idempotency key and its precondition. */
export type ChangeAuthor = Omit<ChangeMeta, "id">;
