import { useMutation, useQueryClient } from "@tanstack/react-query";
import { once } from "../../api/once.ts";
import { refreshFeature } from "../../features/feature-list.ts";
import { toast } from "../../ui/toasts.tsx";
import type { FeatureDocument, Revised } from "./feature-document.ts";

const nothing = () => {};

/** A change of an opened document; without a value it is removed. */
type DocumentChange<Value> = {
  readonly value: Value | undefined;
  readonly note?: string;
  /** What it replaces. */
  readonly opened: Revised<Value>;
};

/**
 * Changes a document, once, if nobody changed it since it was opened; the problem of a conflict has status 412. The undo of the
 * toast restores what was replaced, likewise only if nobody changed it since.
 */
export function useDocumentChange<Value>(
  document: FeatureDocument<Value>,
  {
    name,
    detailOf = () => false,
    onDone,
  }: {
    readonly name: string;
    /** What the toast tells of a saved value. */
    readonly detailOf?: (value: Value) => string | false;
    readonly onDone: () => void;
  },
) {
  const client = useQueryClient();
  const { feature } = document;
  const refresh = async () => {
    await client.invalidateQueries({ queryKey: ["feature", feature] });
    await refreshFeature(client, feature);
  };
  const change = useMutation({
    mutationFn: ({ value, note, opened }: DocumentChange<Value>) => document.write(value, opened.tag, note),
    onSuccess: async (tag, { value, opened }) => {
      await refresh();
      const detail = value !== undefined && detailOf(value);
      toast(`${name} ${value === undefined ? "removed" : "saved"}${detail ? `: ${detail}` : ""}.`, async () => {
        await document.write(opened.value, tag);
        await refresh();
        toast(`${name} is as before.`);
      });
      onDone();
    },
  });
  return {
    ...change,
    // The mutation keeps what failed.
    mutate: (next: DocumentChange<Value>) =>
      void once(`${document.collection} of ${feature}`, () => change.mutateAsync(next).then(nothing, nothing)),
  };
}
