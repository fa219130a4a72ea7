import { Power } from "lucide-react";
import { useIsEditor } from "../api/session.ts";
import { killSwitchOf, type Source } from "../api/sources.ts";
import type { ViewedFeature } from "../features/feature-list.ts";
import { authorName } from "../ui/author-name.ts";
import { Banner } from "../ui/banner.tsx";
import { Ago } from "../ui/time.tsx";
import { UndoKill } from "./undo-kill.tsx";

/** Who killed a feature, when and why, with the undo. */
export function KilledBanner({
  feature: { feature, sources: parts },
  sources,
}: {
  readonly feature: ViewedFeature;
  readonly sources: readonly Source[];
}) {
  const isEditor = useIsEditor();
  const killSwitch = killSwitchOf(sources)?.name;
  const last = parts.find(({ source }) => source === killSwitch)?.lastChange;
  return (
    <Banner
      tone="bad"
      icon={<Power size={16} aria-hidden />}
      title={
        last ? (
          <>
            Killed <Ago at={last.at} /> by {authorName(last.by)}.
          </>
        ) : (
          "Killed."
        )
      }
      action={isEditor && killSwitch !== undefined && <UndoKill feature={feature} isCompact />}
    >
      {last?.note && `“${last.note}” `}Sources keep their content; undo restores exactly what was on.
    </Banner>
  );
}
