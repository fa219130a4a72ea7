import { until } from "./until.ts";

/** Returns an instant after all changes so far and before all later ones. Their times are whole milliseconds. */
export async function instant(): Promise<number> {
  const at = Date.now() + 1;
  await until(() => Date.now() > at, "the instant is over");
  return at;
}

/** The same as text of ISO 8601. */
export const instantText = async (): Promise<string> => new Date(await instant()).toISOString();
