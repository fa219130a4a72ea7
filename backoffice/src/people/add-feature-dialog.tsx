import { type FormEvent, useId, useState } from "react";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Field } from "../ui/field.tsx";
import { useOwnSetChange } from "./use-own-set-change.ts";

const maxSuggestions = 500;

/** Adds a feature to the own set of a user. */
export function AddFeatureDialog({
  known,
  userId,
  source,
  onClose,
}: {
  /** Features that can be suggested. */
  readonly known: readonly string[];
  readonly userId: string;
  readonly source: string;
  readonly onClose: () => void;
}) {
  const list = useId();
  const [feature, setFeature] = useState("");
  const change = useOwnSetChange(userId);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate({ source, feature: feature.trim(), isAdded: true }, { onSuccess: onClose });
  };
  return (
    <Dialog title={`Add a feature for ${userId}`} width={440} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <Field
          label="Feature"
          hint={`in source ${source}`}
          list={list}
          data-autofocus
          required
          spellCheck={false}
          autoComplete="off"
          value={feature}
          onChange={({ currentTarget }) => setFeature(currentTarget.value)}
        />
        <datalist id={list}>
          {known.slice(0, maxSuggestions).map((key) => (
            <option key={key} value={key} />
          ))}
        </datalist>
        {change.error && <ErrorNote error={change.error} />}
        <DialogButtons>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={feature.trim() === "" || change.isPending}>
            Add
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}
