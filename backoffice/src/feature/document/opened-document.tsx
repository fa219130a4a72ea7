import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Dialog } from "../../ui/dialog.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import type { FeatureDocument, Revised } from "./feature-document.ts";

/** Reads a document from its store, and renders its editor with what it read first. */
export function OpenedDocument<Value>({
  document,
  title,
  onClose,
  children,
}: {
  readonly document: FeatureDocument<Value>;
  readonly title: string;
  readonly onClose: () => void;
  readonly children: (opened: Revised<Value>) => ReactNode;
}) {
  const { data, error, refetch } = useQuery({
    queryKey: ["opened", document.feature, document.collection],
    queryFn: document.read,
    gcTime: 0,
    staleTime: 0,
  });
  if (data) return <Once opened={data}>{children}</Once>;
  if (!error) return null;
  return (
    <Dialog title={title} onClose={onClose}>
      <ErrorNote error={error} onRetry={() => void refetch()} />
    </Dialog>
  );
}

/** What is edited stays the revision that was opened, also if the query is read again. */
function Once<Value>({
  opened,
  children,
}: {
  readonly opened: Revised<Value>;
  readonly children: (opened: Revised<Value>) => ReactNode;
}) {
  const [first] = useState(opened);
  return children(first);
}
