import { type MutateOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { once } from "../api/once.ts";
import { useSourcesByName } from "../api/sources.ts";
import { setMember } from "../features/changes.ts";
import { toast } from "../ui/toasts.tsx";
import type { PersonContext } from "./person-context.ts";
import { explanationOf } from "./person-queries.ts";
import { causeOf, stateWord } from "./why.ts";

/** A feature that is added to, or removed from, the own set of a user. */
type OwnSetChange = { readonly source: string; readonly feature: string; readonly isAdded: boolean };

type Effect = Awaited<ReturnType<typeof setMember>>;

const nothing = () => {};

/** Changes the own set of a user, once; the toast undoes it, and says if the result for the context stays the same. */
export function useOwnSetChange(context: PersonContext) {
  const client = useQueryClient();
  const sources = useSourcesByName();
  const userId = context.user ?? "";
  const refresh = () => client.invalidateQueries({ queryKey: ["person", userId] });
  const mutation = useMutation({
    mutationFn: ({ source, feature, isAdded }: OwnSetChange) => setMember(source, feature, isAdded, { userId }),
    onSuccess: async ({ added, removed }, change) => {
      await refresh();
      const state = change.isAdded ? "added" : "removed";
      const explained = await client.fetchQuery({ ...explanationOf(context, change.feature), staleTime: 0 });
      const [result] = explained.features;
      const isSame = result && result.on !== change.isAdded;
      const same = isSame ? ` It is still ${stateWord(result.on)}: ${causeOf(result, sources)}.` : "";
      if (added.length + removed.length === 0) {
        toast(`${change.feature} was ${state} for ${userId} already.${same}`);
        return;
      }
      toast(`${change.feature} ${state} for ${userId}.${same}`, async () => {
        await setMember(change.source, change.feature, !change.isAdded, { userId });
        await refresh();
      });
    },
  });
  const { mutateAsync, error } = mutation;
  const change = (next: OwnSetChange, options?: MutateOptions<Effect, Error, OwnSetChange>) =>
    void once(`${next.feature} in ${next.source} of ${userId}`, () =>
      mutateAsync(next, options).then(nothing, nothing),
    );
  return { change, error, isPending: mutation.isPending };
}
