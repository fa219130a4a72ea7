import "./reload-dialog.css";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { bodyOf, v1 } from "../../api/client.ts";
import { once } from "../../api/once.ts";
import { Problem } from "../../api/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogButtons } from "../../ui/dialog.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import { Skeleton } from "../../ui/skeleton.tsx";
import { toast } from "../../ui/toasts.tsx";

const reload = (dryRun: boolean) => bodyOf(v1.config.reload.$post({ query: { dryRun: dryRun ? "true" : "false" } }));

type Changes = Awaited<ReturnType<typeof reload>>["changes"];

const nothing = () => {};

/** Shows what reading the configuration file again would change, then does it. */
export function ReloadDialog({ file, onClose }: { readonly file: string; readonly onClose: () => void }) {
  const client = useQueryClient();
  const preview = useQuery({
    queryKey: ["system", "reload"],
    queryFn: () => reload(true),
    gcTime: 0,
    staleTime: 0,
    retry: false,
  });
  const apply = useMutation({
    mutationFn: () => reload(false),
    onSuccess: () => {
      toast("The configuration was reloaded.");
      onClose();
      void client.invalidateQueries();
    },
  });
  const reloadOnce = () => void once("reload", () => apply.mutateAsync().then(nothing, nothing));
  const error = apply.error ?? preview.error;
  return (
    <Dialog title="Reload the configuration?" onClose={onClose}>
      <p className="small dim reload-file">
        <span className="mono">{file}</span> is read again. No request is lost. Only this instance reloads.
      </p>
      {preview.isPending && <Skeleton width={260} />}
      {preview.data && <ChangeList changes={preview.data.changes} />}
      {error && <Rejected error={error} />}
      <DialogButtons hint="Variables are not compared.">
        <Button data-autofocus onClick={onClose}>
          Cancel
        </Button>
        <Button look="primary" isChange disabled={!preview.data || apply.isPending} onClick={reloadOnce}>
          {apply.isPending ? "Reloading…" : "Reload"}
        </Button>
      </DialogButtons>
    </Dialog>
  );
}

function ChangeList({ changes: { sections, sources } }: { readonly changes: Changes }) {
  const rows = [
    ["Sources added", sources.added],
    ["Sources removed", sources.removed],
    ["Sources changed", sources.changed],
    ["Other sections changed", sections],
  ].filter((row): row is [string, readonly string[]] => (row[1]?.length ?? 0) > 0);
  if (rows.length === 0 && !sources.reordered) {
    return <p>The file is as it was loaded. A reload reads its variables again.</p>;
  }
  return (
    <dl className="reload-changes">
      {rows.map(([name, all]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="mono">{all.join(", ")}</dd>
        </div>
      ))}
      {sources.reordered && (
        <div>
          <dt>Order of sources</dt>
          <dd>changes</dd>
        </div>
      )}
    </dl>
  );
}

const Rejected = ({ error }: { readonly error: Error }) => (
  <>
    <ErrorNote error={error} />
    {error instanceof Problem && error.errors.length > 0 && (
      <ul className="reload-faults small">
        {error.errors.map(({ detail }) => (
          <li key={detail}>{detail}</li>
        ))}
      </ul>
    )}
  </>
);
