import "./tokens-drawer.css";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Copy, KeyRound } from "lucide-react";
import { useState } from "react";
import { bodyOf, v1 } from "../api/client.ts";
import { pathSegment } from "../api/path-segment.ts";
import { useIsAdmin } from "../api/session.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Ago } from "../ui/time.tsx";
import { toast } from "../ui/toasts.tsx";
import { userOf } from "./person-queries.ts";

/** The tokens of a user: ids, never tokens. A new one is shown once. */
export default function TokensDrawer({ userId, onClose }: { readonly userId: string; readonly onClose: () => void }) {
  const client = useQueryClient();
  const isAdmin = useIsAdmin();
  const user = useQuery(userOf(userId));
  const [asked, setAsked] = useState<string>();
  const param = { userId: pathSegment(userId) };
  const refresh = () => client.invalidateQueries({ queryKey: userOf(userId).queryKey });
  const issue = useMutation({
    mutationFn: () => bodyOf(v1.users[":userId"].tokens.$post({ param, query: {}, json: {} })),
    onSuccess: refresh,
    // The token leaves the memory of the page with the drawer.
    gcTime: 0,
  });
  const revoke = useMutation({
    mutationFn: (tokenId: string) =>
      bodyOf(v1.users[":userId"].tokens[":tokenId"].$delete({ param: { ...param, tokenId }, query: {} })),
    onSuccess: async () => {
      setAsked(undefined);
      await refresh();
      toast("Token revoked.");
    },
  });
  const tokens = user.data?.tokens ?? [];
  return (
    <Dialog title={`Tokens of ${userId}`} width={420} isDrawer onClose={onClose}>
      <p className="small dim">
        Apps send a token to get the features of this user. Tokens that were written to the store outside Tidegate are
        not listed.
      </p>
      {issue.data && (
        <div className="tokens-new" role="status">
          <p className="small strong">Copy it now. Tidegate does not show it again.</p>
          <code className="mono">{issue.data.token}</code>
          <Button isCompact onClick={() => void navigator.clipboard?.writeText(issue.data.token)}>
            <Copy size={14} aria-hidden />
            Copy
          </Button>
        </div>
      )}
      {(user.error ?? issue.error ?? revoke.error) && <ErrorNote error={user.error ?? issue.error ?? revoke.error} />}
      {user.data && tokens.length === 0 && (
        <EmptyState title="No tokens.">Issue one for an app of this user.</EmptyState>
      )}
      <ul className="tokens">
        {tokens.map(({ id, issuedAt, by }) => (
          <li key={id}>
            <KeyRound size={15} className="dim" aria-hidden />
            <span className="grow column">
              <span className="mono ellipsis" title={id}>
                {id}
              </span>
              <span className="tiny dim">
                issued <Ago at={issuedAt} /> by {by}
              </span>
              {asked === id && (
                <span className="column tokens-ask" role="alert">
                  <span className="small">
                    Revoke token {id.slice(-4)}? Apps that use it get 401 at once. This cannot be undone.
                  </span>
                  <span className="row">
                    <Button isCompact onClick={() => setAsked(undefined)}>
                      Cancel
                    </Button>
                    <Button
                      look="danger"
                      isCompact
                      isChange
                      disabled={revoke.isPending}
                      onClick={() => revoke.mutate(id)}
                    >
                      Revoke
                    </Button>
                  </span>
                </span>
              )}
            </span>
            {isAdmin && asked !== id && (
              <Button look="danger-outline" isCompact isChange aria-label={`Revoke ${id}`} onClick={() => setAsked(id)}>
                Revoke
              </Button>
            )}
          </li>
        ))}
      </ul>
      {isAdmin ? (
        <Button look="primary" isChange disabled={issue.isPending} onClick={() => issue.mutate()}>
          Issue a token
        </Button>
      ) : (
        <p className="small dim">Only an admin issues and revokes tokens.</p>
      )}
    </Dialog>
  );
}
