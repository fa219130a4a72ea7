import { count, counted, joined } from "../ui/numbers.ts";

/** Who gains or loses a feature, as the API counts it before a change. */
export type Audience = {
  readonly everyone: boolean;
  /** `null` if a store did not answer the count. */
  readonly users: number | null;
  readonly locations: readonly string[];
  readonly shares: readonly { readonly source: string; readonly percentage: number }[];
  /** Other sources that have it by rules. */
  readonly rules: readonly string[];
};

/** The largest share of callers; 0 if there is none. */
export const largestShare = ({ shares }: Audience): number =>
  Math.max(0, ...shares.map(({ percentage }) => percentage));

/** Who loses the feature, as the first sentence of a confirmation. */
export const lossText = (audience: Audience): string =>
  effectText(audience, "lose") ?? "Nobody loses it now. It stays off if a source grants it later.";

/** Who gains the feature, as the first sentence of a confirmation. */
export const gainText = (audience: Audience): string => effectText(audience, "gain") ?? "Nobody gains it now.";

/** Who gains or loses the feature, as a sentence; `undefined` if nobody does. */
export function effectText(audience: Audience, verb: "gain" | "lose"): string | undefined {
  const { everyone, users, locations, rules } = audience;
  if (everyone) return `Every caller ${verb}s it now.`;
  if (users === null) return "The number of users is not known: the store did not answer the count.";
  const share = largestShare(audience);
  const parts = [
    ...(users > 0 ? [counted(users, "user")] : []),
    ...(locations.length > 0 ? [counted(locations.length, "location")] : []),
    ...(share > 0 ? [`${share}\u00a0% of other callers`] : []),
    ...(rules.length > 0 ? [`those of ${joined(rules)}`] : []),
  ];
  if (parts.length === 0) return undefined;
  const isOne = parts.length === 1 && (users === 1 || (users === 0 && locations.length === 1));
  return `${joined(parts)} ${verb}${isOne ? "s" : ""} it now.`;
}

/** Whom a feature is on for, in a few words. */
export function reachText(audience: Audience): string {
  const { everyone, users, locations, rules } = audience;
  if (everyone) return "everyone";
  const share = largestShare(audience);
  const parts = [
    ...(users === null ? ["users"] : users > 0 ? [counted(users, "user")] : []),
    ...(locations.length > 0 ? [counted(locations.length, "location")] : []),
    ...(share > 0 ? [`${share}\u00a0% of callers`] : []),
    ...rules,
  ];
  return parts.length > 0 ? joined(parts) : "nobody";
}

/** How often a feature was evaluated in the last hour, as a sentence. Empty if it is not counted. */
export function evaluatedText(times: number | null | undefined): string {
  if (times === null || times === undefined) return "";
  if (times === 0) return "Not evaluated in the last hour.";
  return `Evaluated ${times === 1 ? "once" : `${count(times)} times`} in the last hour.`;
}
