import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { isWritableKey, writableKeyRule } from "../../../src/domain/evaluation/feature.ts";
import { bodyOf, v1 } from "../api/client.ts";
import { once } from "../api/once.ts";
import { pathSegment } from "../api/path-segment.ts";
import { hasStatus, Problem } from "../api/problem.ts";
import { links } from "../routing/links.ts";
import { navigate } from "../routing/location.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Field } from "../ui/field.tsx";
import { featureFacets } from "./feature-list.ts";
import { tagsIn } from "./tags-in.ts";

/** Describes a feature, which makes it known. It is off until a source grants it. */
export default function NewFeature({
  suggested,
  onClose,
}: {
  readonly suggested: string;
  readonly onClose: () => void;
}) {
  const client = useQueryClient();
  const { data: facets } = useQuery(featureFacets);
  const [key, setKey] = useState(suggested);
  const [description, setDescription] = useState("");
  const [owner, setOwner] = useState("");
  const [tags, setTags] = useState("");
  const [error, setError] = useState<unknown>();
  const [isTried, setTried] = useState(false);
  // The API describes every key that a store or another tool may grant, also those that cannot be granted here.
  const isUngrantable = isTried && !isWritableKey(key.trim());
  const create = async () => {
    const json = { description, owner, tags: tagsIn(tags) };
    const param = { feature: pathSegment(key.trim()) };
    // It must not replace the description of a feature that exists.
    await bodyOf(v1.catalogue[":feature"].$put({ param, query: {}, json }, { headers: { "If-Match": '"none.0"' } }));
    await client.invalidateQueries({ queryKey: ["features"] });
    navigate(links.feature(key.trim()));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setError(undefined);
    setTried(true);
    if (isWritableKey(key.trim())) once("create", create).catch(setError);
  };
  const faultOf = (name: string) => faultAt(error, name);
  const exists = hasStatus(error, 412);
  const keyFault = isUngrantable
    ? `Invalid key (expected ${writableKeyRule}).`
    : exists
      ? `${key.trim()} exists already.`
      : undefined;
  const isPlaced = keyFault !== undefined || (error instanceof Problem && error.errors.length > 0);
  return (
    <Dialog title="New feature" width={480} onClose={onClose}>
      <form className="column new-feature" onSubmit={submit}>
        <Field
          label="Key"
          hint="as the code asks for it"
          placeholder="checkout.express-pay"
          required
          autoCapitalize="off"
          spellCheck={false}
          data-autofocus
          value={key}
          error={keyFault}
          onChange={(event) => setKey(event.target.value)}
        />
        <Field
          label="Description"
          value={description}
          error={faultOf("description")}
          onChange={(event) => setDescription(event.target.value)}
        />
        <Field
          label="Owner"
          list="owners"
          value={owner}
          error={faultOf("owner")}
          onChange={(event) => setOwner(event.target.value)}
        />
        <datalist id="owners">
          {facets?.owners.map(({ value }) => (
            <option key={value} value={value} />
          ))}
        </datalist>
        <Field
          label="Tags"
          hint="separated by commas"
          value={tags}
          error={faultOf("tags")}
          onChange={(event) => setTags(event.target.value)}
        />
        <p className="dim small">It is off until a source grants it.</p>
        {error !== undefined && !isPlaced && <ErrorNote error={error} />}
        <DialogButtons>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" isChange>
            Create
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}

/** The fault of a member of the body, for its field. */
const faultAt = (error: unknown, name: string): string | undefined =>
  error instanceof Problem
    ? error.errors.find(({ pointer }) => pointer === `/${name}` || pointer.startsWith(`/${name}/`))?.detail
    : undefined;
