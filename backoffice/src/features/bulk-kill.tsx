import { Power } from "lucide-react";
import { useState } from "react";
import type { Source } from "../api/sources.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Field } from "../ui/field.tsx";
import { counted } from "../ui/numbers.ts";
import type { Feature } from "./feature-list.ts";
import { type Audience, audienceOf, largestShare, reachText } from "./impact.ts";

/** Asks before many features are killed: one line each, the largest first. */
export function BulkKill({
  features,
  sources,
  onKill,
  onClose,
}: {
  readonly features: readonly Feature[];
  readonly sources: readonly Source[];
  readonly onKill: (keys: readonly string[], note: string) => Promise<void>;
  readonly onClose: () => void;
}) {
  const [note, setNote] = useState("");
  const [error, setError] = useState<unknown>();
  const reach = features
    .map(({ feature, ...rest }) => ({ feature, impact: audienceOf({ feature, ...rest }, sources) }))
    .toSorted((one, other) => sizeOf(other.impact) - sizeOf(one.impact));
  const kill = () => {
    setError(undefined);
    onKill(
      features.map(({ feature }) => feature),
      note.trim(),
    ).catch(setError);
  };
  return (
    <Dialog title={`Kill ${counted(features.length, "feature")}?`} onClose={onClose}>
      <p>
        <b>Off for everyone.</b> Undo restores exactly what was on.
      </p>
      <ul className="bulk-list">
        {reach.map(({ feature, impact }) => (
          <li key={feature}>
            <span className="small strong ellipsis grow">{feature}</span>
            <span className="tiny dim">on for {reachText(impact)}</span>
          </li>
        ))}
      </ul>
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
        <Button look="danger" isChange onClick={kill}>
          <Power size={15} aria-hidden />
          Kill {counted(features.length, "feature")}
        </Button>
      </DialogButtons>
    </Dialog>
  );
}

/** How much an impact takes away, to compare. */
const sizeOf = (audience: Audience): number =>
  audience.everyone
    ? Number.POSITIVE_INFINITY
    : largestShare(audience) * 1e6 + (audience.users ?? 1e5) + audience.locations.length * 100;
