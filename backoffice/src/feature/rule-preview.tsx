import { type Audience, reachText } from "../features/impact.ts";
import { counted } from "../ui/numbers.ts";

/** Who gains and loses a feature by a rule, as the dry run counted it. */
type Trial = {
  readonly impact?:
    | {
        readonly gains: Audience;
        readonly loses: Audience;
        readonly knownUsers?: { readonly gain: number; readonly lose: number; readonly of: number } | undefined;
      }
    | undefined;
};

/** The effect of a rule before it is applied. */
export function RulePreview({ trial }: { readonly trial: object }) {
  const { impact } = trial as Trial;
  if (!impact) return null;
  const { gains, loses, knownUsers } = impact;
  return (
    <p className="small rule-preview" role="status">
      {sentence(gains, "gain")} {sentence(loses, "lose")}
      {knownUsers && knownUsers.gain + knownUsers.lose > 0 && (
        <>
          {" "}
          Of {counted(knownUsers.of, "user")} with a set of their own, {knownUsers.gain} gain it and {knownUsers.lose}{" "}
          lose it.
        </>
      )}
    </p>
  );
}

function sentence(audience: Audience, verb: "gain" | "lose"): string {
  const reach = reachText(audience);
  if (reach === "nobody") return verb === "gain" ? "Nobody gains it." : "Nobody loses it.";
  const isOne = reach === "everyone" || reach.startsWith("1 ");
  return `${reach.charAt(0).toUpperCase()}${reach.slice(1)} ${verb}${isOne ? "s" : ""} it.`;
}
