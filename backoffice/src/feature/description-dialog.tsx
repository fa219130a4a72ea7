import { type FormEvent, useState } from "react";
import { hasStatus } from "../api/problem.ts";
import { tagsIn } from "../features/tags-in.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Field } from "../ui/field.tsx";
import { ConflictNote } from "./document/conflict-note.tsx";
import { type Description, descriptionDocument, type Revised } from "./document/feature-document.ts";
import { OpenedDocument } from "./document/opened-document.tsx";
import { useDocumentChange } from "./document/use-document-change.ts";

/** Describes a feature: text, owner, tags, archived. It changes no state. */
export function DescriptionDialog(given: DescriptionDialogProps) {
  const { feature, onClose } = given;
  return (
    <OpenedDocument document={descriptionDocument(feature)} title={titleOf(feature)} onClose={onClose}>
      {(opened) => <DescriptionEditor {...given} opened={opened} />}
    </OpenedDocument>
  );
}

type DescriptionDialogProps = { readonly feature: string; readonly onClose: () => void };

const titleOf = (feature: string) => `Details of ${feature}`;

function DescriptionEditor({
  feature,
  opened,
  onClose,
}: DescriptionDialogProps & { readonly opened: Revised<Description> }) {
  const document = descriptionDocument(feature);
  const entry = opened.value;
  const [description, setDescription] = useState(entry?.description ?? "");
  const [owner, setOwner] = useState(entry?.owner ?? "");
  const [tags, setTags] = useState(entry?.tags.join(", ") ?? "");
  const [archived, setArchived] = useState(entry?.archived ?? false);
  const save = useDocumentChange(document, { name: titleOf(feature), onDone: onClose });
  const change = (present: Revised<Description>) => {
    const value = { description: description.trim(), owner: owner.trim(), tags: tagsIn(tags), archived };
    save.mutate({ value, opened: present });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change(opened);
  };
  return (
    <Dialog title={titleOf(feature)} width={480} onClose={onClose}>
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
        {hasStatus(save.error, 412) ? (
          <ConflictNote document={document} opened={entry} onApply={change} />
        ) : (
          save.error && <ErrorNote error={save.error} />
        )}
        <DialogButtons>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" isChange disabled={save.isPending}>
            Save
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}
