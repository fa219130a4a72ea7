import { useState } from "react";
import { isWritableKey, writableKeyRule } from "../../../src/domain/evaluation/feature.ts";
import { useIsEditor } from "../api/session.ts";
import { Button } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { DescriptionDialog } from "./description-dialog.tsx";

/** A key that no source lists and nobody described. */
export function UnknownFeature({ feature }: { readonly feature: string }) {
  const isEditor = useIsEditor();
  const [isCreating, setCreating] = useState(false);
  const isWritable = isWritableKey(feature);
  return (
    <>
      <EmptyState
        title={`No source lists ${feature}, and nobody described it.`}
        action={
          isEditor &&
          isWritable && (
            <Button look="primary" isChange onClick={() => setCreating(true)}>
              Create it
            </Button>
          )
        }
      >
        Apps that ask for it get “not found”, and use their default.
        {!isWritable && ` It cannot be created: the key is invalid (expected ${writableKeyRule}).`}
      </EmptyState>
      {isCreating && <DescriptionDialog feature={feature} onClose={() => setCreating(false)} />}
    </>
  );
}
