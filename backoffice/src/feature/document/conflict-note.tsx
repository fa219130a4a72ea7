import "./conflict-note.css";
import { useQuery } from "@tanstack/react-query";
import { CircleAlert } from "lucide-react";
import { useState } from "react";
import { DocumentDiff } from "../../events/event-diff.tsx";
import { Button } from "../../ui/button.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import { durationText } from "../../ui/time.tsx";
import { type FeatureDocument, lastChangeOf, type Revised } from "./feature-document.ts";

/** Somebody changed a document after it was opened, so that a change of it was not applied: who, what, and what to do. */
export function ConflictNote<Value>({
  document,
  opened,
  onApply,
}: {
  readonly document: FeatureDocument<Value>;
  /** The value when it was opened. */
  readonly opened: Value | undefined;
  /** Applies the change to the revision that is shown. */
  readonly onApply: (present: Revised<Value>) => void;
}) {
  const [isShown, setShown] = useState(false);
  const { data, error, refetch } = useQuery({
    queryKey: ["conflict", document.feature, document.collection],
    queryFn: async () => {
      const present = await document.read();
      return { present, last: await lastChangeOf(document).catch(() => undefined) };
    },
    gcTime: 0,
    staleTime: 0,
  });
  if (error) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  const { present, last } = data ?? {};
  return (
    <div className="stack" role="alert">
      <div className="error-note conflict-note">
        <CircleAlert size={16} aria-hidden />
        <span>
          {last && last.recorded_by !== "external" ? last.recorded_by : "Somebody"} changed this{" "}
          {last ? `${durationText(Date.now() - Date.parse(last.time))} ago` : "meanwhile"}. Your change was not applied.
        </span>
        <div className="row">
          <Button isCompact aria-expanded={isShown} disabled={!present} onClick={() => setShown(!isShown)}>
            {isShown ? "Hide it" : "Show it"}
          </Button>
          <Button
            isCompact
            look="danger-outline"
            isChange
            disabled={!present}
            onClick={() => present && onApply(present)}
          >
            Apply anyway
          </Button>
        </div>
      </div>
      {isShown && present && <DocumentDiff before={opened ?? null} after={present.value} />}
    </div>
  );
}
