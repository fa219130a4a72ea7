import { counted, joined } from "../ui/numbers.ts";
import { type Audience, largestShare } from "./audience.ts";

/** A change of many features for everyone. */
export type EveryoneChange = "kill" | "on" | "off";

/** Who gains or loses how many features, as the first sentences of a confirmation. `undefined` is not known. */
export function bulkEffectText(change: EveryoneChange, audiences: readonly (Audience | undefined)[]): string {
  const verb = change === "on" ? "gain" : "lose";
  const sizes = audiences.map(sizeOf);
  const everyone = sizes.filter((size) => size === Number.POSITIVE_INFINITY).length;
  const unknown = sizes.filter(Number.isNaN).length;
  const some = sizes.filter((size) => size > 0).length - everyone;
  const every = change === "off" ? "Every caller without a grant of their own" : "Every caller";
  const parts = [
    ...(everyone > 0 ? [`${every} ${verb}s ${counted(everyone, "feature")}`] : []),
    ...(some > 0 ? [`${everyone > 0 ? "some" : "Some"} callers ${verb} ${counted(some, "feature")}`] : []),
  ];
  return [
    ...(change === "kill" ? ["Off for everyone."] : []),
    ...(parts.length > 0 ? [`${joined(parts)} now.`] : unknown === 0 ? [`Nobody ${verb}s a feature now.`] : []),
    ...(unknown > 0 ? [`The callers of ${counted(unknown, "feature")} could not be counted.`] : []),
  ].join(" ");
}

/** How large an audience is, to compare: 0 is nobody, infinity everyone, and NaN not known. */
export function sizeOf(audience: Audience | undefined): number {
  if (audience?.everyone) return Number.POSITIVE_INFINITY;
  if (!audience || audience.users === null) return Number.NaN;
  const { users, locations, rules } = audience;
  return largestShare(audience) * 1e6 + users + locations.length * 100 + rules.length;
}
