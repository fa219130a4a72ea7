import { useInfiniteQuery } from "@tanstack/react-query";
import { type FormEvent, useDeferredValue, useId, useState } from "react";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Field } from "../ui/field.tsx";
import type { PersonContext } from "./person-context.ts";
import { featuresFor } from "./person-queries.ts";
import { useOwnSetChange } from "./use-own-set-change.ts";

/** Adds a feature to the own set of a user. */
export function AddFeatureDialog({
  context,
  userId,
  source,
  onClose,
}: {
  /** Features that are off in it are suggested. */
  readonly context: PersonContext;
  readonly userId: string;
  readonly source: string;
  readonly onClose: () => void;
}) {
  const list = useId();
  const [feature, setFeature] = useState("");
  const { data } = useInfiniteQuery(featuresFor(context, "off", useDeferredValue(feature.trim())));
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
          {data?.pages[0]?.features.map((known) => (
            <option key={known.feature} value={known.feature} />
          ))}
        </datalist>
        {change.error && <ErrorNote error={change.error} />}
        <DialogButtons>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" isChange disabled={feature.trim() === "" || change.isPending}>
            Add
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}
