import "./decisions.css";
import { useQuery } from "@tanstack/react-query";
import { DoorOpen, Globe, Power, ShieldBan } from "lucide-react";
import type { ReactNode } from "react";
import { useIsEditor } from "../api/session.ts";
import { everyoneSourceOf, isSwitchedGate, killSwitchOf, type Source } from "../api/sources.ts";
import { reachText } from "../features/audience.ts";
import { audienceOf } from "../features/feature-audience.ts";
import type { ViewedFeature } from "../features/feature-list.ts";
import { setQuery } from "../routing/location.ts";
import { Button } from "../ui/button.tsx";
import { StateBadge } from "../ui/feature-state.tsx";
import { useIsNarrow } from "../ui/is-narrow.ts";
import { Switch } from "../ui/switch.tsx";
import { SourceSwitch } from "./source-switch.tsx";
import { UndoKill } from "./undo-kill.tsx";
import { lastHourQuery } from "./usage-query.ts";

/**
 * The decisions about a feature: whom it is on for, everyone, each gate, the kill switch. On phones, the state and the
 * kill switch stay in view, in a bar.
 */
export function Decisions({
  feature,
  sources,
}: {
  readonly feature: ViewedFeature;
  readonly sources: readonly Source[];
}) {
  const isEditor = useIsEditor();
  const everyone = everyoneSourceOf(sources);
  const gates = sources.filter(isSwitchedGate);
  const isNarrow = useIsNarrow();
  const { data: usage } = useQuery(lastHourQuery(feature.feature));
  const cells = (
    <div className="card decisions">
      <Cell name="Now">
        <p className="strong">{nowText(feature, sources)}</p>
        {usage && !feature.killed && <p className="tiny dim">{partText(usage.total)}</p>}
      </Cell>
      {everyone && <EveryoneCell feature={feature} source={everyone} />}
      {gates.map((gate) => (
        <GateCell key={gate.name} feature={feature} gate={gate} sources={sources} />
      ))}
      {!isNarrow && killSwitchOf(sources) && <KillCell feature={feature} />}
    </div>
  );
  if (!isNarrow) return cells;
  return (
    <>
      <section className="decision-bar" aria-label="State and kill switch">
        <StateBadge state={feature.state} isStale={feature.stale} isLarge />
        {killSwitchOf(sources) && isEditor && <KillButton feature={feature} />}
      </section>
      {cells}
    </>
  );
}

const Cell = ({
  icon,
  name,
  children,
}: {
  readonly icon?: ReactNode;
  readonly name: string;
  readonly children: ReactNode;
}) => (
  <section className="decision" aria-label={name}>
    <h2 className="row tiny dim">
      {icon}
      {name}
    </h2>
    {children}
  </section>
);

function EveryoneCell({ feature, source }: { readonly feature: ViewedFeature; readonly source: Source }) {
  const isEditor = useIsEditor();
  const isOn = feature.on[source.name] === true;
  const text = isOn ? (feature.killed ? "On, but killed" : "On for everyone") : "Not on for everyone";
  return (
    <Cell icon={<Globe size={14} aria-hidden />} name="Everyone">
      {isEditor ? (
        <SourceSwitch feature={feature.feature} source={source}>
          {(change) => (
            <Switch
              name={`On for everyone: ${feature.feature}`}
              isOn={isOn && !feature.killed}
              isDisabled={feature.killed}
              isLarge
              label={text}
              onChange={change}
            />
          )}
        </SourceSwitch>
      ) : (
        <p className="strong">{text}</p>
      )}
      <p className="tiny dim">
        Source {source.name}. {isEditor && feature.killed && "Undo the kill to change it."}
      </p>
    </Cell>
  );
}

function GateCell({
  feature,
  gate,
  sources,
}: {
  readonly feature: ViewedFeature;
  readonly gate: Source;
  readonly sources: readonly Source[];
}) {
  const isEditor = useIsEditor();
  const isOpen = feature.on[gate.name] === true;
  const behind = sources.filter(({ gatedBy }) => gatedBy.includes(gate.name));
  const isForAll = audienceOf(feature, sources).everyone;
  const others = sources.filter(({ name }) => name !== gate.name);
  const held = isForAll ? "nobody" : reachText(audienceOf(feature, behind, others));
  return (
    <Cell icon={<DoorOpen size={14} aria-hidden />} name={`Gate ${gate.name}`}>
      {isEditor ? (
        <SourceSwitch feature={feature.feature} source={gate}>
          {(change) => (
            <Switch
              name={`Gate ${gate.name}: ${feature.feature}`}
              isOn={isOpen}
              isLarge
              label={isOpen ? "Open" : "Closed"}
              onChange={change}
            />
          )}
        </SourceSwitch>
      ) : (
        <p className="strong">{isOpen ? "Open" : "Closed"}</p>
      )}
      <p className="tiny dim">
        {held === "nobody" ? "Nobody depends on it." : isOpen ? `Closing it holds ${held}.` : `It holds ${held}.`}
      </p>
    </Cell>
  );
}

const KillButton = ({ feature: { feature, killed } }: { readonly feature: ViewedFeature }) =>
  killed ? (
    <UndoKill feature={feature} />
  ) : (
    <Button look="danger-outline" isChange onClick={() => setQuery({ kill: "1" })}>
      <Power size={15} aria-hidden />
      Kill for everyone…
    </Button>
  );

function KillCell({ feature }: { readonly feature: ViewedFeature }) {
  const isEditor = useIsEditor();
  return (
    <Cell icon={<ShieldBan size={14} aria-hidden />} name="Kill switch">
      {isEditor ? (
        <KillButton feature={feature} />
      ) : (
        <p className="strong">{feature.killed ? "Killed" : "Not killed"}</p>
      )}
      <p className="tiny dim">Wins over every source, on all instances.</p>
    </Cell>
  );
}

/** Such as "31 % of evaluations in the last hour were on."; empty without evaluations. */
function partText({ on, off }: { readonly on: number; readonly off: number }): string {
  const all = on + off;
  if (all === 0) return "";
  if (on === 0) return "No evaluation in the last hour was on.";
  if (off === 0) return "All evaluations in the last hour were on.";
  const part = Math.min(99, Math.max(1, Math.round((100 * on) / all)));
  return `${part}\u00a0% of evaluations in the last hour were on.`;
}

function nowText(feature: ViewedFeature, sources: readonly Source[]): string {
  switch (feature.state) {
    case "killed": {
      const reach = reachText(audienceOf(feature, sources));
      return reach === "nobody"
        ? "Killed: off for everyone."
        : `Killed: off for everyone. Without the kill, on for ${reach}.`;
    }
    case "unknown":
      return "Unknown: a source that could decide it is unavailable.";
    case "held":
      return `Held by a gate. With the gate open, on for ${reachText(audienceOf(feature, sources, []))}.`;
    case "scheduled":
      return "Off now. A window lies ahead.";
    case "off":
      return "Off. No source has it on.";
    default:
      return `On for ${reachText(feature.audience)}.`;
  }
}
