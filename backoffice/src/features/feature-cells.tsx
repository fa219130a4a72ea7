import { Checkbox } from "@mantine/core";
import { Clock, Power, Undo2 } from "lucide-react";
import { Link } from "../routing/link.tsx";
import { links } from "../routing/links.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { StateBadge } from "../ui/feature-state.tsx";
import { briefly } from "../ui/numbers.ts";
import { Sparkline } from "../ui/sparkline.tsx";
import { Switch } from "../ui/switch.tsx";
import { Ago, durationText, useNow } from "../ui/time.tsx";
import type { Feature } from "./feature-list.ts";
import { type LastUse, lastUseOf } from "./last-use.ts";
import { useListActions } from "./list-actions.ts";
import { usageText } from "./usage.ts";
import { Where } from "./where.tsx";

/** What a cell shows. */
type Cell = { readonly feature: Feature };

export function SelectCell({ feature: { feature } }: Cell) {
  const { selected, toggleSelected } = useListActions();
  return (
    <Checkbox
      size="xs"
      aria-label={`Select ${feature}`}
      checked={selected.has(feature)}
      onChange={() => toggleSelected(feature)}
    />
  );
}

export const KeyCell = ({ feature: { feature, catalogue } }: Cell) => (
  <div className="column">
    <Link className="feature-key ellipsis" href={links.feature(feature)} data-feature={feature} title={feature}>
      {feature}
    </Link>
    <span className="dim tiny ellipsis feature-description">{catalogue?.description ?? "No description"}</span>
  </div>
);

export const StateCell = ({ feature: { state, stale } }: Cell) => <StateBadge state={state} isStale={stale} />;

export const WhereCell = ({ feature }: Cell) => <Where feature={feature} sources={useListActions().sources} />;

export function UsageCell({ feature }: Cell) {
  const usage = useListActions().usage.get(feature.feature);
  if (!usage) return null;
  if (usage.total === 0) return <Unused last={lastUseOf(feature, usage.lastUsed, usage.since)} />;
  return (
    <div className="row">
      <Sparkline values={usage.hours} />
      <span className="num tiny dim">{briefly(usage.total)}</span>
    </div>
  );
}

function Unused({ last }: { readonly last: LastUse | undefined }) {
  const age = useNow() - (last?.at ?? 0);
  const title = last?.is === "new" ? `Created ${durationText(age)} ago; not evaluated as on yet` : undefined;
  return (
    <span className="tiny dim row feature-unused" title={title}>
      <Clock size={13} aria-hidden />
      {last && age > 60_000 ? `none for ${durationText(age)}` : "none yet"}
    </span>
  );
}

export const OwnerCell = ({ feature: { catalogue } }: Cell) => (
  <div className="small ellipsis" title={catalogue?.owner}>
    {catalogue?.owner}
  </div>
);

export const ChangedCell = ({ feature: { lastChange } }: Cell) =>
  lastChange && (
    <div className="column tiny">
      <Ago at={lastChange.at} />
      <span className="dim ellipsis">{lastChange.origin === "change" ? lastChange.by : "outside Tidegate"}</span>
    </div>
  );

export function EveryoneCell({
  feature: { feature, state, on },
  isLarge = false,
}: Cell & { readonly isLarge?: boolean }) {
  const { everyoneSource, isEditor, switchEveryone, usage } = useListActions();
  if (everyoneSource === undefined) return null;
  const isOn = on[everyoneSource] === true;
  // A card has no heading, and says where the feature is on.
  if (!isEditor) return isLarge ? null : <span className="small dim">{isOn ? "Yes" : "No"}</span>;
  const counts = usage.get(feature);
  const hint =
    state === "killed" ? "Killed. Undo the kill first." : counts && usageText(counts.total, counts.evaluated);
  return (
    <span title={hint}>
      <Switch
        name={`On for everyone: ${feature}`}
        description={hint}
        isOn={isOn && state !== "killed"}
        isDisabled={state === "killed"}
        isLarge={isLarge}
        onChange={(next) => switchEveryone(feature, next)}
      />
    </span>
  );
}

export function KillCell({ feature: { feature, state } }: Cell) {
  const { kill, undoKill } = useListActions();
  if (state === "killed") {
    return (
      <Button isCompact isChange onClick={() => undoKill(feature)} aria-label={`Undo kill of ${feature}`}>
        <Undo2 size={14} aria-hidden />
        Undo
      </Button>
    );
  }
  return (
    <IconButton className="kill" label={`Kill ${feature}`} isChange onClick={() => kill(feature)}>
      <Power size={16} aria-hidden />
    </IconButton>
  );
}
