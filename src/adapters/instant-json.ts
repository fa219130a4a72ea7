import { type Instant, instantText } from "../domain/evaluation/evaluation-context.ts";

/** An instant as RFC 3339 text; `null` for none. */
export const instantJson = (at: Instant | null | undefined): string | null =>
  at === null || at === undefined ? null : instantText(at);
