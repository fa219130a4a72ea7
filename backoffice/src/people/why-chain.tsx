import "./why-chain.css";
import { Check, DoorClosed, DoorOpen, Minus, ShieldBan, ShieldCheck, TriangleAlert, Zap } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "../routing/link.tsx";
import { links } from "../routing/links.ts";
import { StateBadge } from "../ui/feature-state.tsx";
import { counted } from "../ui/numbers.ts";
import { Ago } from "../ui/time.tsx";
import type { ExplainedFeature, Explanation } from "./person-queries.ts";
import { isOn, type SourceResult, sayingOf, whyOf } from "./why.ts";

/** Why a feature is on or off: grants, gates, vetoes, result, as the service merges them. */
export function WhyChain({
  explanation,
  feature,
}: {
  readonly explanation: Explanation;
  readonly feature: ExplainedFeature;
}) {
  const { grants, gates, vetoes } = whyOf(explanation, feature);
  const granting = grants.filter(isOn).length;
  return (
    <ol className="why" aria-label={`Why ${feature.feature} is ${stateWord(feature.on)}`}>
      <Step
        isGood={granting > 0}
        icon={granting > 0 ? <Check size={14} aria-hidden /> : <Minus size={14} aria-hidden />}
        title={granting > 0 ? `Granted by ${granting} of ${counted(grants.length, "source")}` : "No source grants it"}
      >
        <div className="why-sources">
          {grants.map((grant) => (
            <SourceLine key={grant.source.name} {...grant} />
          ))}
        </div>
      </Step>
      {gates.map((gate) => (
        <Step
          key={gate.source.name}
          isGood={isOn(gate) && granting > 0}
          isBad={!isOn(gate) && granting > 0}
          icon={isOn(gate) ? <DoorOpen size={14} aria-hidden /> : <DoorClosed size={14} aria-hidden />}
          title={`Gate ${gate.source.name} ${isOn(gate) ? "lets it through" : "holds it back"}`}
        >
          <LastChange {...gate} />
        </Step>
      ))}
      {vetoes.map((veto) => (
        <Step
          key={veto.source.name}
          isBad={isOn(veto)}
          icon={isOn(veto) ? <ShieldBan size={14} aria-hidden /> : <ShieldCheck size={14} aria-hidden />}
          title={isOn(veto) ? `Veto ${veto.source.name} switches it off` : `Veto ${veto.source.name} does not list it`}
        >
          <LastChange {...veto} />
        </Step>
      ))}
      <Step
        isGood={feature.on === true}
        icon={<Zap size={14} aria-hidden />}
        title={
          <span className="row">
            Result
            <StateBadge state={feature.on === null ? "unknown" : feature.on ? "on" : "off"} />
          </span>
        }
      >
        <p className="small dim">
          {feature.message}.{feature.variant !== null && ` Variant ${feature.variant}.`}
          {feature.reason !== null && ` Reason ${feature.reason}.`}
        </p>
      </Step>
    </ol>
  );
}

export const stateWord = (on: boolean | null): string => (on === null ? "unknown" : on ? "on" : "off");

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

function SourceLine(line: SourceResult) {
  const { source, result } = line;
  return (
    <div className={`why-source ${isOn(line) ? "" : "dim"}`}>
      <ResultIcon {...line} />
      <div className="grow">
        <span>
          <b>{source.name}</b> {sayingOf(line)}{" "}
          {isOn(line) && result.set !== null && <span className="mono">{result.set}</span>}
        </span>
        <Rule {...line} />
        {(isOn(line) || result.lastChange) && <LastChange {...line} />}
      </div>
      <span className={`tiny nowrap ${source.freshness?.fresh === false ? "why-stale" : "dim"}`}>
        {source.freshness && (source.freshness.fresh ? "fresh" : <>stale, read {<Ago at={source.freshness.asOf} />}</>)}
      </span>
    </div>
  );
}

function ResultIcon(line: SourceResult) {
  if (isOn(line)) return <Check size={15} className="why-on" aria-hidden />;
  if (["unavailable", "skipped", "no-history"].includes(line.result.result))
    return <TriangleAlert size={15} className="why-stale" aria-hidden />;
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

function LastChange({ result: { lastChange, set } }: SourceResult) {
  if (!lastChange) return null;
  const { by, at, note, origin } = lastChange;
  const author = by === "external" ? "unknown" : by;
  const what = origin === "baseline" ? "Listed when its record began" : `Last changed by ${author}`;
  return (
    <p className="tiny dim">
      {what}, <Ago at={at} />
      {note && <>: “{note}”</>}
      {origin === "external" && " (edited outside Tidegate)"}
      {set !== null && (
        <>
          {" · "}
          <Link className="link" href={links.events({ key: set, days: "all" })}>
            events
          </Link>
        </>
      )}
    </p>
  );
}
