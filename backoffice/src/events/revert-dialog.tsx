import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { once } from "../api/once.ts";
import { hasStatus, type Problem } from "../api/problem.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Field } from "../ui/field.tsx";
import { count, counted } from "../ui/numbers.ts";
import { toast } from "../ui/toasts.tsx";
import { DocumentDiff, SetDiff } from "./event-diff.tsx";
import type { EventEntry } from "./event-entry.ts";
import { hasEffect, type RevertPreview, revert } from "./event-queries.ts";
import { entrySentence } from "./event-sentence.ts";
import type { SourcesByName } from "./event-view.ts";

const nothing = () => {};

/** Shows what a revert changes, and reverts. Each revert is a new event, and can be undone. */
export function RevertDialog({
  entry,
  sources,
  preview,
  later,
  onClose,
}: {
  readonly entry: EventEntry;
  readonly sources: SourcesByName;
  /** What would change; absent for a bulk change, and if a later change conflicts. */
  readonly preview: RevertPreview | undefined;
  /** The later change, which is reverted first. */
  readonly later: Problem["later"];
  readonly onClose: () => void;
}) {
  const { events, first } = entry;
  const [note, setNote] = useState("");
  const ids = [...(later ? [later.event] : []), ...events.map(({ id }) => id)];
  const apply = useMutation({
    mutationFn: () => revertAll(ids, note),
    onSuccess: (result) => {
      toast(resultText(result), result.done > 0 ? () => undo(result.reverts) : undefined);
      onClose();
    },
  });
  const total = ids.length;
  const revertOnce = () => void once("revert", () => apply.mutateAsync().then(nothing, nothing));
  return (
    <Dialog title={total === 1 ? "Revert this change?" : `Revert ${count(total)} changes?`} onClose={onClose}>
      <p>
        <b>{entrySentence(entry, sources)}.</b>{" "}
        {later && `${later.by} changed the same again; that change is reverted first.`}
        {events.length > 1 && "A change is skipped if something changed the same since."}
      </p>
      {preview && <Preview preview={preview} />}
      <Field
        data-autofocus
        label="Reason"
        hint="(optional, shown in the event log)"
        value={note}
        maxLength={500}
        onChange={({ currentTarget }) => setNote(currentTarget.value)}
      />
      {apply.error && <ErrorNote error={apply.error} />}
      <DialogButtons hint="It becomes a new event, which can be reverted too.">
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" isChange disabled={apply.isPending} onClick={revertOnce}>
          {apply.isPending ? "Reverting…" : total === 1 ? "Revert" : `Revert ${later ? "both" : `all ${count(total)}`}`}
        </Button>
      </DialogButtons>
      <span className="for-screen-readers">event {first.position}</span>
    </Dialog>
  );
}

const Preview = ({ preview: { added, removed, before, after } }: { readonly preview: RevertPreview }) =>
  before === undefined && after === undefined ? (
    <SetDiff added={added} removed={removed} />
  ) : (
    <DocumentDiff before={before} after={after} />
  );

type Result = {
  /** The ids of the new events. */
  readonly reverts: readonly string[];
  readonly done: number;
  /** Changes that were reverted before. */
  readonly repeated: number;
  readonly skipped: number;
};

/** Reverts events one after another. A single one fails; of several, those that changed since are skipped. */
async function revertAll(ids: readonly string[], note: string): Promise<Result> {
  const reverts: string[] = [];
  let [repeated, skipped] = [0, 0];
  for (const id of ids) {
    try {
      const result = await revert(id, note);
      if (!hasEffect(result)) repeated += 1;
      else if (result.event !== null) reverts.push(result.event);
    } catch (error) {
      if (ids.length === 1 || !hasStatus(error, 409)) throw error;
      skipped += 1;
    }
  }
  return { reverts, done: ids.length - repeated - skipped, repeated, skipped };
}

const resultText = ({ done, repeated, skipped }: Result): string =>
  [
    ...(done > 0 ? [`${counted(done, "change")} reverted.`] : []),
    ...(repeated > 0 ? [`${counted(repeated, "change")} reverted already.`] : []),
    ...(skipped > 0 ? [`${counted(skipped, "change")} skipped: changed since.`] : []),
  ].join(" ");

async function undo(reverts: readonly string[]): Promise<void> {
  const { done } = await revertAll(reverts.toReversed(), "");
  toast(`${counted(done, "change")} back as before.`);
}
