import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Source } from "../api/sources.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { type Audience, effectText, evaluatedText, gainText, lossText, reachText } from "./audience.ts";
import { useFeatureChanges } from "./changes.ts";
import { featureQuery } from "./feature-list.ts";
import { useImpact } from "./impact.ts";

/** Asks before a gate is opened or closed for a feature, or a feature is off for everyone, with who gains or loses it. */
export default function SwitchDialog({
  feature: key,
  source,
  isOn = false,
  onClose,
}: {
  readonly feature: string;
  /** The grant for everyone, or the gate. */
  readonly source: Source;
  /** Whether the gate is opened. */
  readonly isOn?: boolean;
  readonly onClose: () => void;
}) {
  const isGate = source.role === "gate";
  const { switchEveryone } = useFeatureChanges();
  const { data: feature } = useQuery(featureQuery(key));
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const change = isGate ? ({ change: isOn ? "open" : "close", source: source.name } as const) : undefined;
  const { impact } = useImpact(key, change ?? { change: "off" }, isBusy);
  const apply = () => {
    setBusy(true);
    setError(undefined);
    switchEveryone(source.name, key, isOn).then(onClose, (reason: unknown) => {
      setError(reason);
      setBusy(false);
    });
  };
  const reach = feature && reachText({ ...feature.audience, everyone: false });
  const left = reach === "nobody" ? undefined : reach;
  const act = isOn ? "Open" : "Close";
  return (
    <Dialog
      title={isGate ? `${act} gate ${source.name} for ${key}?` : `Switch ${key} off for everyone?`}
      onClose={onClose}
    >
      {isGate ? (
        <p>
          <b>{!impact ? "Counting…" : isOn ? gainText(impact.gains) : lossText(impact.loses)}</b>{" "}
          {!isOn && "Their entries stay. Opening the gate restores them. "}
          {evaluatedText(impact?.evaluationsLastHour)}
        </p>
      ) : (
        <p>
          <b>{impact ? offText(impact.loses, left) : "Counting…"}</b> {left && `It stays on for ${left}. `}
          {evaluatedText(impact?.evaluationsLastHour)}
        </p>
      )}
      {error !== undefined && <ErrorNote error={error} />}
      <DialogButtons>
        <Button data-autofocus onClick={onClose}>
          Cancel
        </Button>
        <Button look={isOn ? "primary" : "danger"} isChange onClick={apply} disabled={isBusy}>
          {isGate ? `${act} the gate` : "Off for everyone"}
        </Button>
      </DialogButtons>
    </Dialog>
  );
}

/** Who loses the feature; `left` still have it. */
const offText = (loses: Audience, left: string | undefined): string =>
  loses.everyone && left
    ? "Every caller without a grant of their own loses it now."
    : (effectText(loses, "lose") ?? "Nobody loses it now.");
