import { type FormEvent, useState } from "react";
import { once } from "../api/once.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Field } from "../ui/field.tsx";
import { counted } from "../ui/numbers.ts";
import type { BulkDescription } from "./bulk.ts";
import type { Feature } from "./feature-list.ts";
import { tagsIn } from "./tags-in.ts";

/** Gives many features an owner, and adds tags. */
export function BulkDescribe({
  features,
  onDescribe,
  onClose,
}: {
  readonly features: readonly Feature[];
  readonly onDescribe: (given: BulkDescription) => Promise<void>;
  readonly onClose: () => void;
}) {
  const [owner, setOwner] = useState("");
  const [tags, setTags] = useState("");
  const [error, setError] = useState<unknown>();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const given = { ...(owner.trim() && { owner: owner.trim() }), addTags: tagsIn(tags) };
    once("bulk", () => onDescribe(given)).catch(setError);
  };
  return (
    <Dialog title={`Tags and owner of ${counted(features.length, "feature")}`} width={480} onClose={onClose}>
      <form className="column new-feature" onSubmit={submit}>
        <Field
          label="Owner"
          hint="empty: stays as it is"
          data-autofocus
          value={owner}
          onChange={(event) => setOwner(event.target.value)}
        />
        <Field
          label="Add tags"
          hint="separated by commas"
          value={tags}
          onChange={(event) => setTags(event.target.value)}
        />
        {error !== undefined && <ErrorNote error={error} />}
        <DialogButtons>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" isChange disabled={!owner.trim() && tagsIn(tags).length === 0}>
            Apply
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}
