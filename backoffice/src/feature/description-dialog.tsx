import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { bodyOf, v1 } from "../api/client.ts";
import { type Feature, refreshFeature } from "../features/feature-list.ts";
import { tagsIn } from "../features/tags-in.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Field } from "../ui/field.tsx";
import { toast } from "../ui/toasts.tsx";

/** Describes a feature: text, owner, tags, archived. It changes no state. */
export function DescriptionDialog({
  feature,
  entry,
  onClose,
}: {
  readonly feature: string;
  readonly entry?: Feature["catalogue"];
  readonly onClose: () => void;
}) {
  const client = useQueryClient();
  const [description, setDescription] = useState(entry?.description ?? "");
  const [owner, setOwner] = useState(entry?.owner ?? "");
  const [tags, setTags] = useState(entry?.tags.join(", ") ?? "");
  const [archived, setArchived] = useState(entry?.archived ?? false);
  const save = useMutation({
    mutationFn: () =>
      bodyOf(
        v1.catalogue[":feature"].$put({
          param: { feature: encodeURIComponent(feature) },
          query: {},
          json: { description: description.trim(), owner: owner.trim(), tags: tagsIn(tags), archived },
        }),
      ),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["feature", feature] });
      await refreshFeature(client, feature);
      toast(`Details of ${feature} saved.`);
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Dialog title={`Details of ${feature}`} width={480} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <Field
          label="Description"
          data-autofocus
          maxLength={2_000}
          value={description}
          onChange={({ currentTarget }) => setDescription(currentTarget.value)}
        />
        <Field
          label="Owner"
          maxLength={200}
          value={owner}
          onChange={({ currentTarget }) => setOwner(currentTarget.value)}
        />
        <Field
          label="Tags"
          hint="separated by commas"
          value={tags}
          onChange={({ currentTarget }) => setTags(currentTarget.value)}
        />
        <label className="row small">
          <input
            type="checkbox"
            checked={archived}
            onChange={({ currentTarget }) => setArchived(currentTarget.checked)}
          />
          Archived: the code no longer needs it
        </label>
        {save.error && <ErrorNote error={save.error} />}
        <DialogButtons>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={save.isPending}>
            Save
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}
