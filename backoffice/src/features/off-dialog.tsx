import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Source, useSources } from "../api/sources.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { useFeatureChanges } from "./changes.ts";
import { featureQuery } from "./feature-list.ts";
import { audienceOf, evaluatedText, lossText, reachText, useImpact } from "./impact.ts";

/** Asks before a feature is switched off for everyone, or held by a gate, with what that takes away. */
export default function OffDialog({
  feature: key,
  source,
  onClose,
}: {
  readonly feature: string;
  /** The grant for everyone, or the gate. */
  readonly source: Source;
  readonly onClose: () => void;
}) {
  const isGate = source.role === "gate";
  const { switchEveryone } = useFeatureChanges();
  const { data: feature } = useQuery(featureQuery(key));
  const sources = useSources();
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const { impact } = useImpact(key, isGate ? { change: "close", source: source.name } : { change: "off" }, isBusy);
  const switchOff = () => {
    setBusy(true);
    setError(undefined);
    switchEveryone(source.name, key, false).then(onClose, (reason: unknown) => {
      setError(reason);
      setBusy(false);
    });
  };
  const left = feature && sources && reachText({ ...audienceOf(feature, sources), everyone: false });
  return (
    <Dialog
      title={isGate ? `Close gate ${source.name} for ${key}?` : `Switch ${key} off for everyone?`}
      onClose={onClose}
    >
      {isGate ? (
        <p>
          <b>{impact ? lossText(impact.loses) : "Counting…"}</b> Their entries stay. Opening the gate restores them.{" "}
          {evaluatedText(impact?.evaluationsLastHour)}
        </p>
      ) : (
        <p>
          <b>Every caller without a grant of their own loses it now.</b> {left && `It stays on for ${left}.`}{" "}
          {evaluatedText(impact?.evaluationsLastHour)}
        </p>
      )}
      {error !== undefined && <ErrorNote error={error} />}
      <DialogButtons>
        <Button data-autofocus onClick={onClose}>
          Cancel
        </Button>
        <Button look="danger" isChange onClick={switchOff} disabled={isBusy}>
          {isGate ? "Close the gate" : "Off for everyone"}
        </Button>
      </DialogButtons>
    </Dialog>
  );
}
