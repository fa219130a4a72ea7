import "./tokens-drawer.css";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Copy, KeyRound } from "lucide-react";
import { useRef, useState } from "react";
import { bodyOf, v1 } from "../api/client.ts";
import { pathSegment } from "../api/path-segment.ts";
import { useIsAdmin } from "../api/session.ts";
import { Button } from "../ui/button.tsx";
import { Tag } from "../ui/card.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Shortened } from "../ui/shortened.tsx";
import { Ago } from "../ui/time.tsx";
import { toast } from "../ui/toasts.tsx";
import { userOf } from "./person-queries.ts";

/** The tokens of a user: ids, never tokens. A new one is shown once; the next is issued after it was put away. */
export function TokensDrawer({ userId, onClose }: { readonly userId: string; readonly onClose: () => void }) {
  const client = useQueryClient();
  const isAdmin = useIsAdmin();
  const user = useQuery(userOf(userId));
  const [asked, setAsked] = useState<string>();
  /** From the click until the new token is put away. Two clicks may come before `isPending` is set. */
  const [isIssuing, setIssuing] = useState(false);
  const [isCopied, setCopied] = useState(false);
  const secret = useRef<HTMLElement>(null);
  const param = { userId: pathSegment(userId) };
  const refresh = () => client.invalidateQueries({ queryKey: userOf(userId).queryKey });
  const issue = useMutation({
    mutationFn: () => bodyOf(v1.users[":userId"].tokens.$post({ param, query: {}, json: {} })),
    onSuccess: refresh,
    onError: () => setIssuing(false),
    // The token leaves the memory of the page with the drawer.
    gcTime: 0,
  });
  const revoke = useMutation({
    mutationFn: (tokenId: string) =>
      bodyOf(v1.users[":userId"].tokens[":tokenId"].$delete({ param: { ...param, tokenId }, query: {} })),
    onSuccess: async (_revoked, tokenId) => {
      setAsked(undefined);
      if (tokenId === issue.data?.id) putAway();
      await refresh();
      toast("Token revoked.");
    },
  });
  const putAway = () => {
    issue.reset();
    setIssuing(false);
    setCopied(false);
  };
  const copy = async (token: string) => {
    try {
      await navigator.clipboard.writeText(token);
      setCopied(true);
    } catch {
      // Without access to the clipboard, the reader copies the selection.
      if (secret.current) getSelection()?.selectAllChildren(secret.current);
    }
  };
  const tokens = user.data?.tokens ?? [];
  return (
    <Dialog
      title={`Tokens of ${userId}`}
      width={420}
      isDrawer
      onClose={onClose}
      loss={isIssuing && !isCopied ? "Close without copying the new token?" : undefined}
    >
      <p className="small dim">
        Apps send a token to get the features of this user. Tokens that were written to the store outside Tidegate are
        not listed.
      </p>
      {issue.data && (
        <div className="tokens-new" role="status">
          <p className="small strong">Copy it now. Tidegate does not show it again.</p>
          <code ref={secret} className="mono">
            {issue.data.token}
          </code>
          <span className="row">
            <Button isCompact onClick={() => void copy(issue.data.token)}>
              <Copy size={14} aria-hidden />
              {isCopied ? "Copied" : "Copy"}
            </Button>
            <Button isCompact onClick={putAway}>
              Done
            </Button>
          </span>
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
              <span className="mono">
                <Shortened text={id} max={28} />
              </span>
              <span className="tiny dim">
                issued <Ago at={issuedAt} /> by {by} {id === issue.data?.id && <Tag>shown above</Tag>}
              </span>
              {asked === id && (
                <span className="column tokens-ask" role="alert">
                  <span className="small">
                    Revoke the token whose id ends in {id.slice(-4)}? Apps that use it get 401 at once. This cannot be
                    undone.
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
      {isAdmin && !issue.data && (
        <Button
          look="primary"
          isChange
          disabled={isIssuing}
          onClick={() => {
            setIssuing(true);
            issue.mutate();
          }}
        >
          Issue a token
        </Button>
      )}
      {!isAdmin && <p className="small dim">Only an admin issues and revokes tokens.</p>}
    </Dialog>
  );
}
