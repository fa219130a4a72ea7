import { Undo2 } from "lucide-react";
import { useState } from "react";
import { useFeatureChanges } from "../features/changes.ts";
import { Button } from "../ui/button.tsx";
import { ErrorNote } from "../ui/error-note.tsx";

/** Undoes the kill of a feature, which needs no confirmation. */
export function UndoKill({ feature, isCompact = false }: { readonly feature: string; readonly isCompact?: boolean }) {
  const { undoKill } = useFeatureChanges();
  const [error, setError] = useState<unknown>();
  return (
    <>
      <Button
        isCompact={isCompact}
        isChange
        onClick={() => {
          setError(undefined);
          undoKill(feature).catch(setError);
        }}
      >
        <Undo2 size={15} aria-hidden />
        Undo kill
      </Button>
      {error !== undefined && <ErrorNote error={error} />}
    </>
  );
}
