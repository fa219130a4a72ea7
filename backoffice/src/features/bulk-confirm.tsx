import { Power } from "lucide-react";
import { useState } from "react";
import type { Source } from "../api/sources.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Field } from "../ui/field.tsx";
import { count, counted, joined } from "../ui/numbers.ts";
import type { Feature } from "./feature-list.ts";
import { type Audience, audienceOf, largestShare, reachText } from "./impact.ts";

/** The most features that are named, and of those that are skipped. */
const maxNamed = 10;
const maxSkipped = 3;

/** A change of many features for everyone. */
export type EveryoneChange = "kill" | "on" | "off";

/** Asks before a change of many features: whom they are on for, the largest by name, and those that are killed. */
export function BulkConfirm({
  change,
  features,
  sources,
  onConfirm,
  onClose,
}: {
  readonly change: EveryoneChange;
  readonly features: readonly Feature[];
  readonly sources: readonly Source[];
  readonly onConfirm: (note: string) => Promise<void>;
  readonly onClose: () => void;
}) {
  const [note, setNote] = useState("");
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const [killed, others] = [true, false].map((isKilled) =>
    features.filter(({ state }) => (state === "killed") === isKilled),
  ) as [Feature[], Feature[]];
  const reach = others
    .map((feature) => ({ key: feature.feature, isOn: isOn(feature), impact: audienceOf(feature, sources) }))
    .toSorted((one, other) => sizeOf(other) - sizeOf(one));
  const number = counted(others.length, "feature");
  const name = change === "kill" ? `Kill ${number}` : `Switch ${number} ${change} for everyone`;
  const granted = reach.filter(({ impact }) => impact.everyone).length;
  const confirm = () => {
    setError(undefined);
    setBusy(true);
    onConfirm(note.trim()).catch((reason: unknown) => {
      setError(reason);
      setBusy(false);
    });
  };
  return (
    <Dialog title={`${name}?`} onClose={onClose}>
      <p>
        <b>{effectText(change, granted, others.length)}</b> {statesText(others)} Undo restores exactly what was on.
      </p>
      <ul className="bulk-list">
        {reach.slice(0, maxNamed).map(({ key, isOn: wasOn, impact }) => (
          <li key={key}>
            <span className="small strong ellipsis grow">{key}</span>
            <span className="tiny dim">
              {change === "off" && impact.everyone
                ? `stays on for ${reachText({ ...impact, everyone: false })}`
                : wasOn
                  ? `on for ${reachText(impact)}`
                  : "off now"}
            </span>
          </li>
        ))}
        {reach.length > maxNamed && <li className="small dim">and {count(reach.length - maxNamed)} more</li>}
      </ul>
      {killed.length > 0 && <p className="small dim">{killedText(killed, change)}</p>}
      <Field
        label="Reason"
        hint="(optional, shown in the event log)"
        maxLength={500}
        data-autofocus
        value={note}
        onChange={(event) => setNote(event.target.value)}
      />
      {error !== undefined && <ErrorNote error={error} />}
      <DialogButtons>
        <Button onClick={onClose}>Cancel</Button>
        <Button look={change === "on" ? "primary" : "danger"} isChange disabled={isBusy} onClick={confirm}>
          {change === "kill" && <Power size={15} aria-hidden />}
          {name}
        </Button>
      </DialogButtons>
    </Dialog>
  );
}

/** Who gains or loses how many of the features; `granted` are granted to everyone now. */
function effectText(change: EveryoneChange, granted: number, all: number): string {
  if (change === "kill") return "Off for everyone.";
  const changed = change === "off" ? granted : all - granted;
  if (changed === 0) return change === "off" ? "Nobody loses a feature now." : "Nobody gains a feature now.";
  const who = change === "off" ? "Every caller without a grant of their own loses" : "Every caller gains";
  return `${who} ${counted(changed, "feature")} now.`;
}

const isOn = ({ state }: Feature): boolean => state === "on" || state === "on-for-some";

/** How many features are on for whom now. */
function statesText(features: readonly Feature[]): string {
  const everyone = features.filter(({ state }) => state === "on").length;
  const some = features.filter(({ state }) => state === "on-for-some").length;
  const off = features.length - everyone - some;
  const parts = [
    ...(everyone > 0 ? [`${count(everyone)} ${are(everyone)} on for everyone`] : []),
    ...(some > 0 ? [`${count(some)} ${are(some)} on for some`] : []),
    ...(off > 0 ? [`${count(off)} ${are(off)} off`] : []),
  ];
  return `${joined(parts)} now.`;
}

function killedText(killed: readonly Feature[], change: EveryoneChange): string {
  const named = killed.slice(0, maxSkipped).map(({ feature }) => feature);
  const names = killed.length > maxSkipped ? [...named, `${count(killed.length - maxSkipped)} more`] : named;
  return `${joined(names)} ${are(killed.length)} killed ${change === "kill" ? "already and skipped" : "and not changed"}.`;
}

const are = (number: number): string => (number === 1 ? "is" : "are");

/** How much a kill takes away, to compare. */
const sizeOf = ({ isOn: wasOn, impact }: { readonly isOn: boolean; readonly impact: Audience }): number => {
  if (!wasOn) return 0;
  if (impact.everyone) return Number.POSITIVE_INFINITY;
  return 1 + largestShare(impact) * 1e6 + (impact.users ?? 1e5) + impact.locations.length * 100;
};
