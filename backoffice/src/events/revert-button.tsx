import { useQuery } from "@tanstack/react-query";
import { Undo2 } from "lucide-react";
import { useState } from "react";
import { Problem } from "../api/problem.ts";
import { Button } from "../ui/button.tsx";
import { textOf } from "../ui/error-note.tsx";
import { count } from "../ui/numbers.ts";
import { dayTime } from "../ui/time.tsx";
import type { EventEntry } from "./event-entry.ts";
import { hasEffect, revertPreview } from "./event-queries.ts";
import type { SourcesByName } from "./event-view.ts";
import { RevertDialog } from "./revert-dialog.tsx";

/** Opens the revert of an entry, and says whether a later change is in its way. */
export function RevertButton({ entry, sources }: { readonly entry: EventEntry; readonly sources: SourcesByName }) {
  const [isOpen, setOpen] = useState(false);
  const { first, events } = entry;
  const isBulk = events.length > 1;
  const { data: preview, error } = useQuery({ ...revertPreview(first.id), enabled: !isBulk });
  const later = error instanceof Problem ? error.later : undefined;
  // A preview from before a later change says nothing any more.
  const data = error ? undefined : preview;
  const isDone = data !== undefined && !hasEffect(data);
  return (
    <>
      {(isBulk || later || (data && !isDone)) && (
        <Button isCompact isChange onClick={() => setOpen(true)}>
          <Undo2 size={14} aria-hidden />
          {isBulk ? `Revert all ${count(events.length)}…` : later ? "Revert both…" : "Revert…"}
        </Button>
      )}
      <span role="status">
        {later && `Changed again by ${later.by} on ${dayTime(new Date(later.at))}. Revert both?`}
        {error && !later && textOf(error)}
        {data && (isDone ? "Reverted already." : "No later change.")}
      </span>
      {isOpen && (
        <RevertDialog entry={entry} sources={sources} preview={data} later={later} onClose={() => setOpen(false)} />
      )}
    </>
  );
}
