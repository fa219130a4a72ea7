import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { bodyOf, v1 } from "../api/client.ts";
import { useFeatureChanges } from "../features/changes.ts";
import { lossText } from "../features/impact.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";

/** Asks before a gate is closed, with what that holds back. */
export function GateDialog({
  feature,
  gate,
  onClose,
}: {
  readonly feature: string;
  readonly gate: string;
  readonly onClose: () => void;
}) {
  const { switchEveryone } = useFeatureChanges();
  const [error, setError] = useState<unknown>();
  const { data: impact } = useQuery({
    queryKey: ["feature", feature, "impact", "close", gate],
    queryFn: () =>
      bodyOf(
        v1.features[":feature"].impact.$get({
          param: { feature: encodeURIComponent(feature) },
          query: { change: "close", source: gate },
        }),
      ),
    staleTime: 0,
  });
  return (
    <Dialog title={`Close gate ${gate} for ${feature}?`} onClose={onClose}>
      <p>
        <b>{impact ? lossText(impact.loses) : "Counting…"}</b> Their entries stay. Opening the gate restores them.
      </p>
      {error !== undefined && <ErrorNote error={error} />}
      <DialogButtons>
        <Button data-autofocus onClick={onClose}>
          Cancel
        </Button>
        <Button look="danger" onClick={() => void switchEveryone(gate, feature, false).then(onClose, setError)}>
          Close the gate
        </Button>
      </DialogButtons>
    </Dialog>
  );
}
