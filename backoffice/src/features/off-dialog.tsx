import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSources } from "../api/sources.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { useFeatureChanges } from "./changes.ts";
import { featureQuery } from "./feature-list.ts";
import { audienceOf, evaluatedText, reachText, useImpact } from "./impact.ts";

/** Asks before a busy feature is switched off for everyone. */
export default function OffDialog({
  feature: key,
  source,
  onClose,
}: {
  readonly feature: string;
  readonly source: string;
  readonly onClose: () => void;
}) {
  const { switchEveryone } = useFeatureChanges();
  const { data: feature } = useQuery(featureQuery(key));
  const { data: impact } = useImpact(key, "off");
  const sources = useSources();
  const [error, setError] = useState<unknown>();
  const left = feature && sources && reachText({ ...audienceOf(feature, sources), everyone: false });
  return (
    <Dialog title={`Switch ${key} off for everyone?`} onClose={onClose}>
      <p>
        <b>Every caller without a grant of their own loses it now.</b> {left && `It stays on for ${left}.`}{" "}
        {evaluatedText(impact?.evaluationsPerMinute)}
      </p>
      {error !== undefined && <ErrorNote error={error} />}
      <DialogButtons>
        <Button data-autofocus onClick={onClose}>
          Cancel
        </Button>
        <Button look="danger" onClick={() => void switchEveryone(source, key, false).then(onClose, setError)}>
          Off for everyone
        </Button>
      </DialogButtons>
    </Dialog>
  );
}
