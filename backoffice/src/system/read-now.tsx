import { useMutation, useQueryClient } from "@tanstack/react-query";
import { RefreshCw } from "lucide-react";
import { bodyOf, v1 } from "../api/client.ts";
import { pathSegment } from "../api/path-segment.ts";
import { Button } from "../ui/button.tsx";
import { textOf } from "../ui/error-note.tsx";
import { counted } from "../ui/numbers.ts";
import { toast } from "../ui/toasts.tsx";

/** Polls a feed at once, instead of at its next interval. */
export function ReadNow({ source }: { readonly source: string }) {
  const client = useQueryClient();
  const poll = useMutation({
    mutationFn: () => bodyOf(v1.sources[":source"].poll.$post({ param: { source: pathSegment(source) } })),
    onSuccess: ({ state }) => {
      if (state.failure === null) toast(`${source} was read: ${counted(state.listed, "item")}.`);
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["system"] }),
  });
  return (
    <>
      <Button
        isCompact
        aria-label={`${poll.isPending ? "Reading…" : "Read now"}: ${source}`}
        isChange
        disabled={poll.isPending}
        onClick={() => poll.mutate()}
      >
        <RefreshCw size={13} className={poll.isPending ? "spinning" : ""} aria-hidden />
        {poll.isPending ? "Reading…" : "Read now"}
      </Button>
      {poll.error && (
        <p className="tiny field-error" role="alert">
          {textOf(poll.error)}
        </p>
      )}
    </>
  );
}
