import { type ReactNode, useState } from "react";
import type { Source } from "../api/sources.ts";
import { useFeatureChanges } from "../features/changes.ts";
import SwitchDialog from "../features/switch-dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";

/**
 * Adds a feature to the set of a source, or removes it: the grant for everyone, or a gate. Asks first, with who gains or
 * loses it, unless it is added for everyone. Draws the control by `children`.
 */
export function SourceSwitch({
  feature,
  source,
  children,
}: {
  readonly feature: string;
  readonly source: Source;
  readonly children: (change: (isOn: boolean) => void) => ReactNode;
}) {
  const { switchEveryone } = useFeatureChanges();
  const [asking, setAsking] = useState<boolean>();
  const [error, setError] = useState<unknown>();
  const change = (isOn: boolean) => {
    setError(undefined);
    if (isOn && source.role === "grant") switchEveryone(source.name, feature, true).catch(setError);
    else setAsking(isOn);
  };
  return (
    <>
      {children(change)}
      {error !== undefined && <ErrorNote error={error} />}
      {asking !== undefined && (
        <SwitchDialog feature={feature} source={source} isOn={asking} onClose={() => setAsking(undefined)} />
      )}
    </>
  );
}
