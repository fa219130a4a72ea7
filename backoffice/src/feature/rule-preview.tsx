import { type Audience, reachText } from "../features/audience.ts";
import { counted } from "../ui/numbers.ts";
import { formatsOf, zonesOf } from "./zones.ts";

/** Who gains and loses a feature by a rule, as the dry run counted it. */
type Trial = {
  readonly impact?:
    | {
        readonly gains: Audience;
        readonly loses: Audience;
        readonly knownUsers?: { readonly gain: number; readonly lose: number; readonly of: number } | undefined;
        /** When the next window opens, and who gains it then. */
        readonly opens?: { readonly at: string; readonly gains: Audience } | undefined;
      }
    | undefined;
};

/** The effect of a rule before it is applied. Times are in the zone of its first window. */
export function RulePreview({ trial, rule }: { readonly trial: object; readonly rule: unknown }) {
  const { impact } = trial as Trial;
  if (!impact) return null;
  const { gains, loses, knownUsers, opens } = impact;
  const [zone] = zonesOf(rule);
  const hasEffect = [gains, loses].some((audience) => reachText(audience) !== "nobody");
  return (
    <p className="small rule-preview" role="status">
      {sentence(gains, "gain", opens && "now")} {sentence(loses, "lose")}
      {opens && (
        <>
          {" "}
          The next window opens on {formatsOf(zone).dayTime(Date.parse(opens.at))} ({zone}).{" "}
          <b>{sentence(opens.gains, "gain", "then")}</b>
        </>
      )}
      {knownUsers && knownUsers.gain + knownUsers.lose > 0 && hasEffect && (
        <>
          {" "}
          By this rule alone, of {counted(knownUsers.of, "user")} with a set of their own, {knownUsers.gain} gain it and{" "}
          {knownUsers.lose} lose it.
        </>
      )}
    </p>
  );
}

function sentence(audience: Audience, verb: "gain" | "lose", when?: string): string {
  const reach = reachText(audience);
  const isOne = reach === "nobody" || reach === "everyone" || reach.startsWith("1 ");
  return `${reach.charAt(0).toUpperCase()}${reach.slice(1)} ${verb}${isOne ? "s" : ""} it${when ? ` ${when}` : ""}.`;
}
