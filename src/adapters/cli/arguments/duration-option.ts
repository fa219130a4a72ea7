import { duration } from "../../duration.ts";
import { UsageError } from "../usage-error.ts";

/** The duration in an option, in milliseconds. Throws `UsageError` if the text is invalid. */
export function durationIn(option: string, text: string | undefined, maxDays: number): number | undefined {
  if (text === undefined) return undefined;
  const { success, data, error } = duration(maxDays).safeParse(text);
  if (!success) throw new UsageError(`${option} ${text} ${error.issues[0]?.message}`);
  return data;
}
