import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import { instant } from "../../instant.ts";
import { UsageError } from "../usage-error.ts";

/** The instant in the option `--at`. Throws `UsageError` if the text is invalid. */
export function instantIn(text: string | undefined): Instant | undefined {
  if (text === undefined) return undefined;
  const { success, data } = instant().safeParse(text);
  if (!success) throw new UsageError(`invalid --at ${text} (expected RFC 3339, for example 2026-11-17T09:00:00Z)`);
  return data;
}
