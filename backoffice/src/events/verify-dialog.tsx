import "./verify-dialog.css";
import { CircleAlert, CircleCheck, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Link } from "../routing/link.tsx";
import { links } from "../routing/links.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { count, counted } from "../ui/numbers.ts";
import { verifyPart } from "./event-queries.ts";

type Part = Awaited<ReturnType<typeof verifyPart>>;

/** Verifies the hash chain of the whole log, part by part, with its progress. Closing the dialog stops it. */
export function VerifyDialog({ onClose }: { readonly onClose: () => void }) {
  const [run, setRun] = useState(0);
  const [first, setFirst] = useState<number>();
  const [part, setPart] = useState<Part>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    let isStopped = false;
    const verify = async () => {
      let next: Part | undefined;
      do {
        next = await verifyPart(next as Verified | undefined);
        if (isStopped) return;
        const { from } = next;
        setFirst((known) => known ?? from);
        setPart(next);
      } while (isPartial(next));
    };
    setError(undefined);
    verify().catch((failure) => !isStopped && setError(failure));
    return () => {
      isStopped = true;
    };
  }, [run]);
  const { to = 0, last = 0, head, fault } = part ?? {};
  const isDone = part !== undefined && !isPartial(part);
  return (
    <Dialog title="Verify the event log" width={520} onClose={onClose}>
      <p className="small dim">
        Each event contains the hash of the event before it. An event that was changed, removed, inserted or moved
        breaks the chain.
      </p>
      {error !== undefined && <ErrorNote error={error} onRetry={() => setRun(run + 1)} />}
      <div className="stack" role="status">
        {!isDone && error === undefined && (
          <>
            <progress className="verify-progress" max={last || 1} value={part ? to : undefined} aria-label="Verified" />
            <p className="small num">{part ? `Verified up to event ${count(to)} of ${count(last)}.` : "Verifying…"}</p>
          </>
        )}
        {fault && (
          <p className="row state-text-killed">
            <CircleAlert size={18} aria-hidden />
            <span>
              <b>The log was altered.</b>{" "}
              <Link className="link" href={links.event(fault.position)}>
                Event {count(fault.position)}
              </Link>{" "}
              {fault.detail}.
            </span>
          </p>
        )}
        {isDone && !fault && (
          <p className="row state-text-on">
            <CircleCheck size={18} aria-hidden />
            <b>
              {to === 0
                ? "The log is empty."
                : `${counted(to - (first ?? 1) + 1, "event")} verified, up to event ${count(to)}. None was altered.`}
            </b>
          </p>
        )}
      </div>
      {isDone && head !== undefined && to > 0 && (
        <div className="column">
          <span className="row small strong">
            Head of the log
            <IconButton label="Copy the head" onClick={() => void navigator.clipboard?.writeText(`${to} ${head}`)}>
              <Copy size={14} aria-hidden />
            </IconButton>
          </span>
          <code className="mono verify-head">{head}</code>
          <p className="tiny dim">
            Keep it elsewhere: only a head that was kept reveals that the end of the log was cut off or rewritten.
          </p>
        </div>
      )}
      <DialogButtons>
        <Button look="primary" data-autofocus onClick={onClose}>
          {isDone ? "Done" : "Stop"}
        </Button>
      </DialogButtons>
    </Dialog>
  );
}

type Verified = { readonly to: number; readonly head: string };

const isPartial = ({ sound, to, last }: Part): boolean => sound && to !== undefined && last !== undefined && to < last;
