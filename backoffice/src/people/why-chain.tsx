import "./why-chain.css";
import { Check, DoorClosed, DoorOpen, Minus, ShieldBan, ShieldCheck, TriangleAlert, Zap } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useSourcesByName } from "../api/sources.ts";
import { Link } from "../routing/link.tsx";
import { links } from "../routing/links.ts";
import { StateBadge } from "../ui/feature-state.tsx";
import { counted } from "../ui/numbers.ts";
import { Ago, dayTime } from "../ui/time.tsx";
import { ContextDialog } from "./context-dialog.tsx";
import type { PersonContext } from "./person-context.ts";
import type { ExplainedFeature, Explanation, Result } from "./person-queries.ts";
import {
  causeOf,
  isOn,
  isUnknown,
  passes,
  type SourceResult,
  sayingOf,
  sentenceOf,
  stateOf,
  stateWord,
  whyOf,
} from "./why.ts";

/** Why a feature is on or off: grants, gates, vetoes, result, as the service merges them. */
export function WhyChain({
  context,
  explanation,
  feature,
}: {
  readonly context: PersonContext;
  readonly explanation: Explanation;
  readonly feature: ExplainedFeature;
}) {
  const { grants, gates, vetoes } = whyOf(explanation, feature);
  const granting = grants.filter(isOn).length;
  const sources = useSourcesByName();
  return (
    <ol className="why" aria-label={`Why ${feature.feature} is ${stateWord(feature.on)}`}>
      <Step
        isGood={granting > 0}
        icon={granting > 0 ? <Check size={14} aria-hidden /> : <Minus size={14} aria-hidden />}
        title={granting > 0 ? `Granted by ${granting} of ${counted(grants.length, "source")}` : "No source grants it"}
      >
        <div className="why-sources">
          {grants.map((grant) => (
            <SourceLine key={grant.source.name} {...grant} context={context} />
          ))}
        </div>
      </Step>
      {gates.map((gate) => (
        <Step
          key={gate.source.name}
          isGood={passes(gate) && granting > 0}
          isBad={!passes(gate) && !isUnknown(gate) && granting > 0}
          icon={passes(gate) ? <DoorOpen size={14} aria-hidden /> : <DoorClosed size={14} aria-hidden />}
          title={`Gate ${gate.source.name} ${gateWord(gate, granting > 0)}`}
        >
          <Standing {...gate} />
        </Step>
      ))}
      {vetoes.map((veto) => (
        <Step
          key={veto.source.name}
          isBad={isOn(veto)}
          icon={isOn(veto) ? <ShieldBan size={14} aria-hidden /> : <ShieldCheck size={14} aria-hidden />}
          title={`Veto ${veto.source.name} ${isUnknown(veto) ? "is unknown" : isOn(veto) ? "switches it off" : "lets it through"}`}
        >
          <Standing {...veto} />
        </Step>
      ))}
      <Step
        isGood={feature.on === true}
        icon={<Zap size={14} aria-hidden />}
        title={
          <span className="row">
            Result
            <StateBadge state={stateOf(feature, sources)} />
          </span>
        }
      >
        <p className="small dim">
          <span title={feature.message}>{causeOf(feature, sources)}.</span>
          {feature.variant !== null && ` Variant ${feature.variant}.`}
          {feature.reason !== null && !isByList(feature) && (
            <span title={`OpenFeature reason ${feature.reason}`}> {reasons[feature.reason] ?? feature.reason}</span>
          )}
        </p>
      </Step>
    </ol>
  );
}

/** What a gate does; of a feature that no source grants, what it would do. */
function gateWord(gate: SourceResult, isGranted: boolean): string {
  if (isUnknown(gate)) return "is unknown";
  if (passes(gate)) return isGranted ? "lets it through" : "would let it through";
  return isGranted ? "holds it back" : "would hold it back";
}

/** Whether the source that decides lists the feature, which says it all. */
const isByList = ({ decidedBy: [first], results }: ExplainedFeature): boolean =>
  results.some(({ source, set }) => source === first && set !== null);

/** OpenFeature's reasons in words. */
const reasons: Readonly<Record<string, string>> = {
  STATIC: "It is the same for every caller.",
  TARGETING_MATCH: "A rule matches this caller.",
  SPLIT: "The caller is in the share that has it.",
  DEFAULT: "No rule matches, so the default applies.",
  DISABLED: "The flag is disabled, so its default applies.",
};

const Step = ({
  icon,
  title,
  isGood = false,
  isBad = false,
  children,
}: {
  readonly icon: ReactNode;
  readonly title: ReactNode;
  readonly isGood?: boolean;
  readonly isBad?: boolean;
  readonly children: ReactNode;
}) => (
  <li>
    <span className={`why-icon ${isGood ? "good" : ""} ${isBad ? "bad" : ""}`}>{icon}</span>
    <h3>{title}</h3>
    <div className="why-body">{children}</div>
  </li>
);

function SourceLine({ context, ...line }: SourceResult & { readonly context: PersonContext }) {
  const { source, result } = line;
  const fields = useSourcesByName().get(source.name)?.fields ?? [];
  // It has a set for each value of a field that this caller does not have.
  const isUnread = result.result === "absent" && source.freshness === null;
  const needsLocation = isUnread && fields.includes("location") && context.location === undefined;
  const needsUser = isUnread && fields.includes("userId") && context.user === undefined;
  const isPast = context.at !== undefined && Date.parse(context.at) < Date.now();
  return (
    <div className={`why-source ${isOn(line) ? "" : "dim"}`}>
      <ResultIcon {...line} />
      <div className="grow">
        <span>
          <b>{source.name}</b>{" "}
          {needsUser ? (
            "needs a user"
          ) : needsLocation ? (
            <>
              needs a location. <SetLocation context={context} />
            </>
          ) : (
            sayingOf(line)
          )}{" "}
          {isOn(line) && result.set !== null && <span className="mono">{result.set}</span>}
        </span>
        <Rule {...line} />
        {(isOn(line) || result.lastChange) && <LastChange {...line} />}
      </div>
      <span className={`tiny nowrap ${source.freshness?.fresh === false ? "why-stale" : "dim"}`}>
        {source.freshness?.fresh && (isPast ? "history" : "fresh")}
        {source.freshness?.fresh === false && (
          <>
            stale, read <Ago at={source.freshness.asOf} />
          </>
        )}
      </span>
    </div>
  );
}

/** Opens the context, to evaluate with a location. */
function SetLocation({ context }: { readonly context: PersonContext }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="link" onClick={() => setOpen(true)}>
        Set one
      </button>
      {isOpen && <ContextDialog context={context} onClose={() => setOpen(false)} />}
    </>
  );
}

function ResultIcon(line: SourceResult) {
  if (isOn(line)) return <Check size={15} className="why-on" aria-hidden />;
  if (isUnknown(line)) return <TriangleAlert size={15} className="why-stale" aria-hidden />;
  return <Minus size={15} aria-hidden />;
}

/** The rule that was applied, and what it computed, such as the bucket of a user. */
function Rule({ result: { rule, metadata } }: SourceResult) {
  const details = [...(rule === null || rule === undefined ? [] : [rule]), ...(metadata === null ? [] : [metadata])];
  if (details.length === 0) return null;
  return (
    <details className="why-rule">
      <summary className="tiny dim">Rule</summary>
      {details.map((detail, index) => (
        <pre key={index} className="mono">
          {JSON.stringify(detail, null, 2)}
        </pre>
      ))}
    </details>
  );
}

function LastChange({ result }: SourceResult) {
  const { lastChange, set } = result;
  if (!lastChange) return null;
  const { at, origin } = lastChange;
  return (
    <p className="tiny dim">
      {origin === "baseline" ? "Listed when its record began" : `${verbOf(result)} by ${authorOf(lastChange)}`},{" "}
      <Ago at={at} />
      <Remark change={lastChange} set={set} />
    </p>
  );
}

/** What the last change did: it added the feature to a set, removed it, or changed a rule. */
const verbOf = ({ result, set }: Result): string =>
  set === null ? "Last changed" : result === "on" ? "Added" : "Removed";

/** What a gate or veto has of the feature, since when, and by whom. */
function Standing(line: SourceResult) {
  const { lastChange } = line.result;
  const set = line.result.set ?? line.source.sets.map(({ key }) => key).join(", ");
  const isListed = isOn(line) && set !== "";
  return (
    <p className="small dim">
      {set === "" || isUnknown(line) ? (
        sentenceOf(sayingOf(line))
      ) : (
        <>
          {isListed ? "Listed in" : lastChange ? "Removed from" : "Not listed in"} <span className="mono">{set}</span>
        </>
      )}
      {lastChange && (
        <>
          {" "}
          {isListed || set === "" ? "since" : "on"} {lastChange.origin === "baseline" && "before "}
          {dayTime(new Date(lastChange.at))}
          {lastChange.origin !== "baseline" && `, by ${authorOf(lastChange)}`}
        </>
      )}
      <Remark change={lastChange} set={set || null} />
    </p>
  );
}

/** The note of a change, and a link to the events of its set. */
const Remark = ({ change, set }: { readonly change: Change | null; readonly set: string | null }) => (
  <>
    {change?.note && <>: “{change.note}”</>}
    {change?.origin === "external" && " (edited outside Tidegate)"}
    {change && set !== null && (
      <>
        {" · "}
        <Link className="link" href={links.events({ key: set, days: "all" })}>
          events
        </Link>
      </>
    )}
  </>
);

type Change = NonNullable<SourceResult["result"]["lastChange"]>;

const authorOf = ({ by }: Change): string => (by === "external" ? "unknown" : by.replace(/^cli:/, ""));
