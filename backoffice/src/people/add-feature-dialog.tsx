import { type QueryClient, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, Fragment, useDeferredValue, useId, useState } from "react";
import { hasStatus } from "../api/problem.ts";
import { featureQuery } from "../features/feature-list.ts";
import { similarFeatures } from "../features/similar-features.ts";
import { Banner } from "../ui/banner.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Field } from "../ui/field.tsx";
import type { PersonContext } from "./person-context.ts";
import { featuresFor } from "./person-queries.ts";
import { useOwnSetChange } from "./use-own-set-change.ts";

/** Adds a feature to the own set of a user. A key that no feature has creates one, once that is confirmed. */
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
  const client = useQueryClient();
  const [feature, setFeature] = useState("");
  const key = feature.trim();
  const { data } = useInfiniteQuery(featuresFor(context, "off", useDeferredValue(key)));
  const own = useOwnSetChange(context);
  const check = useMutation({
    mutationFn: async (checked: string) => {
      if (await isKnown(client, checked)) return undefined;
      return { key: checked, similar: await similarFeatures(checked) };
    },
  });
  const unknown = check.data?.key === key ? check.data : undefined;
  const add = () => own.change({ source, feature: key, isAdded: true }, { onSuccess: onClose });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (unknown) add();
    else check.mutate(key, { onSuccess: (found) => found === undefined && add() });
  };
  const error = own.error ?? check.error;
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
        {unknown && (
          <Banner tone="warn" title={`No feature is called ${key}.`}>
            Adding it creates a new feature.
            {unknown.similar.length > 0 && (
              <>
                {" "}
                Did you mean{" "}
                {unknown.similar.map((similar, index) => (
                  <Fragment key={similar}>
                    {index > 0 && " or "}
                    <button type="button" className="link" onClick={() => setFeature(similar)}>
                      {similar}
                    </button>
                  </Fragment>
                ))}
                ?
              </>
            )}
          </Banner>
        )}
        {error && <ErrorNote error={error} />}
        <DialogButtons>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" isChange disabled={key === "" || check.isPending || own.isPending}>
            {unknown ? "Create a new feature" : "Add"}
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}

async function isKnown(client: QueryClient, key: string): Promise<boolean> {
  try {
    await client.fetchQuery({ ...featureQuery(key), staleTime: 0 });
    return true;
  } catch (error) {
    if (hasStatus(error, 404)) return false;
    throw error;
  }
}
