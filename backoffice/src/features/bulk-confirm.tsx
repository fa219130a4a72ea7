import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Power } from "lucide-react";
import { useRef, useState } from "react";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Field } from "../ui/field.tsx";
import { count, counted, joined } from "../ui/numbers.ts";
import { effectText, evaluatedText } from "./audience.ts";
import { bulkImpact } from "./bulk.ts";
import { bulkEffectText, type EveryoneChange, sizeOf } from "./bulk-effect.ts";
import type { Feature } from "./feature-list.ts";
import type { Impact } from "./impact.ts";

/** The most features that are named, and of those that are skipped. */
const maxNamed = 10;
const maxSkipped = 3;

/**
 * Asks before a change of many features, with who gains or loses them, the largest by name, and those that are killed.
 * The numbers load while it is open and never block the button.
 */
export function BulkConfirm({
  change,
  source,
  features,
  onConfirm,
  onClose,
}: {
  readonly change: EveryoneChange;
  /** The source whose set changes. */
  readonly source: string;
  readonly features: readonly Feature[];
  readonly onConfirm: (note: string) => Promise<void>;
  readonly onClose: () => void;
}) {
  const [note, setNote] = useState("");
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  // Once the change is under way, the features change.
  const asked = useRef(features);
  if (!isBusy) asked.current = features;
  const [killed, others] = [true, false].map((isKilled) =>
    asked.current.filter(({ state }) => (state === "killed") === isKilled).map(({ feature }) => feature),
  ) as [string[], string[]];
  const client = useQueryClient();
  const counting = bulkImpact(others, { source, isAdded: change !== "off" });
  const { data: impacts, error: uncounted } = useQuery({ ...counting, enabled: !isBusy });
  const verb = change === "on" ? "gain" : "lose";
  const audienceOf = (key: string) => impacts?.get(key)?.[`${verb}s`];
  const sizes = new Map(others.map((key) => [key, sizeOf(audienceOf(key)) || 0]));
  const named = others.toSorted((one, other) => (sizes.get(other) ?? 0) - (sizes.get(one) ?? 0)).slice(0, maxNamed);
  const evaluations = others.reduce<number | null>((sum, key) => {
    const times = impacts?.get(key)?.evaluationsLastHour ?? null;
    return sum === null || times === null ? null : sum + times;
  }, 0);
  const number =
    killed.length > 0
      ? `${count(others.length)} of ${counted(asked.current.length, "feature")}`
      : counted(others.length, "feature");
  const name = change === "kill" ? `Kill ${number}` : `Switch ${number} ${change} for everyone`;
  const lineOf = (key: string): string => {
    const audience = audienceOf(key);
    if (!audience) return impacts || uncounted ? "not counted" : "…";
    const text = effectText(audience, verb) ?? `Nobody ${verb}s it now.`;
    return keepsSome(impacts?.get(key)) ? text.replace("caller", "caller without a grant of their own") : text;
  };
  const confirm = () => {
    setError(undefined);
    setBusy(true);
    // What is not counted yet would be counted as made.
    void client.cancelQueries(counting);
    onConfirm(note.trim()).catch((reason: unknown) => {
      setError(reason);
      setBusy(false);
    });
  };
  return (
    <Dialog title={`${name}?`} onClose={onClose}>
      <p>
        <b>
          {impacts || uncounted
            ? bulkEffectText(change, others.map(audienceOf))
            : change === "kill"
              ? "Off for everyone. Counting…"
              : "Counting…"}
        </b>{" "}
        {evaluatedText(evaluations)} Undo restores exactly what was on.
      </p>
      <ul className="bulk-list">
        {named.map((key) => (
          <li key={key}>
            <span className="small strong ellipsis grow">{key}</span>
            <span className="tiny dim">{lineOf(key)}</span>
          </li>
        ))}
        {others.length > maxNamed && <li className="small dim">and {count(others.length - maxNamed)} more</li>}
      </ul>
      {killed.length > 0 && <p className="small dim">{killedText(killed)}</p>}
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

/** Whether a feature stays on for some, also if everyone else loses it. */
const keepsSome = (impact: Impact | undefined): boolean =>
  impact?.loses.everyone === true && impact.stateAfter === "on-for-some";

function killedText(killed: readonly string[]): string {
  const named = killed.slice(0, maxSkipped);
  const names = killed.length > maxSkipped ? [...named, `${count(killed.length - maxSkipped)} more`] : named;
  return `${joined(names)} ${are(killed.length)} killed and skipped.`;
}

const are = (number: number): string => (number === 1 ? "is" : "are");
