import "./decisions.css";
import { DoorOpen, Globe, Power, RotateCcw, ShieldBan } from "lucide-react";
import { type ReactNode, Suspense, useState } from "react";
import { useIsEditor } from "../api/session.ts";
import { everyoneSourceOf, killSwitchOf, type Source } from "../api/sources.ts";
import { useFeatureChanges } from "../features/changes.ts";
import type { Feature } from "../features/feature-list.ts";
import { audienceOf, reachText } from "../features/impact.ts";
import { setQuery } from "../routing/location.ts";
import { Button } from "../ui/button.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { onDemand } from "../ui/on-demand.ts";
import { Switch } from "../ui/switch.tsx";

const SwitchDialog = onDemand(() => import("../features/switch-dialog.tsx"));

/** The decisions about a feature: whom it is on for, everyone, each gate, the kill switch. */
export function Decisions({ feature, sources }: { readonly feature: Feature; readonly sources: readonly Source[] }) {
  const everyone = everyoneSourceOf(sources);
  const gates = sources.filter(({ role, changeable, fields }) => role === "gate" && changeable && fields.length === 0);
  return (
    <div className="card decisions">
      <Cell name="Now">
        <p className="strong">{nowText(feature, sources)}</p>
      </Cell>
      {everyone && <EveryoneCell feature={feature} source={everyone} />}
      {gates.map((gate) => (
        <GateCell key={gate.name} feature={feature} gate={gate} sources={sources} />
      ))}
      {killSwitchOf(sources) && <KillCell feature={feature} />}
    </div>
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

function EveryoneCell({ feature, source }: { readonly feature: Feature; readonly source: Source }) {
  const isEditor = useIsEditor();
  const { switchEveryone } = useFeatureChanges();
  const [asks, setAsks] = useState(false);
  const [error, setError] = useState<unknown>();
  const isOn = feature.on[source.name] === true;
  const text = isOn ? "On for everyone" : "Not on for everyone";
  const change = (next: boolean) => {
    setError(undefined);
    if (next) switchEveryone(source.name, feature.feature, true).catch(setError);
    else setAsks(true);
  };
  return (
    <Cell icon={<Globe size={14} aria-hidden />} name="Everyone">
      {isEditor ? (
        <Switch name={`On for everyone: ${feature.feature}`} isOn={isOn} isLarge label={text} onChange={change} />
      ) : (
        <p className="strong">{text}</p>
      )}
      <p className="tiny dim">Source {source.name}.</p>
      {error !== undefined && <ErrorNote error={error} />}
      <Suspense>
        {asks && <SwitchDialog feature={feature.feature} source={source} onClose={() => setAsks(false)} />}
      </Suspense>
    </Cell>
  );
}

function GateCell({
  feature,
  gate,
  sources,
}: {
  readonly feature: Feature;
  readonly gate: Source;
  readonly sources: readonly Source[];
}) {
  const isEditor = useIsEditor();
  const [asking, setAsking] = useState<boolean>();
  const isOpen = feature.on[gate.name] === true;
  const behind = sources.filter(({ gatedBy }) => gatedBy.includes(gate.name)).map(({ name }) => name);
  return (
    <Cell icon={<DoorOpen size={14} aria-hidden />} name={`Gate ${gate.name}`}>
      {isEditor ? (
        <Switch
          name={`Gate ${gate.name}: ${feature.feature}`}
          isOn={isOpen}
          isLarge
          label={isOpen ? "Open" : "Closed"}
          onChange={setAsking}
        />
      ) : (
        <p className="strong">{isOpen ? "Open" : "Closed"}</p>
      )}
      <p className="tiny dim">Grants of {behind.join(", ") || "no source"} need it.</p>
      <Suspense>
        {asking !== undefined && (
          <SwitchDialog feature={feature.feature} source={gate} isOn={asking} onClose={() => setAsking(undefined)} />
        )}
      </Suspense>
    </Cell>
  );
}

function KillCell({ feature }: { readonly feature: Feature }) {
  const isEditor = useIsEditor();
  const { undoKill } = useFeatureChanges();
  const [error, setError] = useState<unknown>();
  return (
    <Cell icon={<ShieldBan size={14} aria-hidden />} name="Kill switch">
      {!isEditor ? (
        <p className="strong">{feature.killed ? "Killed" : "Not killed"}</p>
      ) : feature.killed ? (
        <Button
          isChange
          onClick={() => {
            setError(undefined);
            undoKill(feature.feature).catch(setError);
          }}
        >
          <RotateCcw size={15} aria-hidden />
          Undo the kill
        </Button>
      ) : (
        <Button look="danger-outline" isChange onClick={() => setQuery({ kill: "1" })}>
          <Power size={15} aria-hidden />
          Kill for everyone…
        </Button>
      )}
      <p className="tiny dim">Wins over every source, on all instances.</p>
      {error !== undefined && <ErrorNote error={error} />}
    </Cell>
  );
}

function nowText(feature: Feature, sources: readonly Source[]): string {
  const reach = reachText(audienceOf(feature, sources));
  switch (feature.state) {
    case "killed":
      return reach === "nobody"
        ? "Killed: off for everyone."
        : `Killed: off for everyone. Without the kill, on for ${reach}.`;
    case "unknown":
      return "Unknown: a source that could decide it is unavailable.";
    case "held":
      return `Held by a gate. With the gate open, on for ${reach}.`;
    case "scheduled":
      return "Off now. A window lies ahead.";
    case "off":
      return "Off. No source has it on.";
    default:
      return `On for ${reach}.`;
  }
}
