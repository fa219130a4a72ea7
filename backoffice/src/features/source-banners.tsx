import { Link } from "../routing/link.tsx";
import { links } from "../routing/links.ts";
import { Banner } from "../ui/banner.tsx";
import { counted } from "../ui/numbers.ts";
import { durationText, useNow } from "../ui/time.tsx";
import type { FeaturePage } from "./feature-list.ts";

/** What is wrong with the sources behind the states, and its consequence. */
export function SourceBanners({ sources, counts, logAvailable }: FeaturePage) {
  const now = useNow();
  const unknown = counts.unknown ?? 0;
  return (
    <>
      {sources
        .filter(({ state, stale }) => state !== "evaluated" || stale)
        .map(({ source, state, asOf, error }) => {
          const age = asOf === null ? undefined : durationText(now - Date.parse(asOf));
          const title =
            state === "evaluated"
              ? `Source ${source} was last read ${age ?? "some time"} ago.`
              : `Source ${source} is unavailable.`;
          return (
            <Banner
              key={source}
              tone="warn"
              title={title}
              action={
                <Link className="banner-action nowrap" href={links.system()}>
                  View source
                </Link>
              }
            >
              <span className="wide-only">
                {state === "evaluated" && "Its last known results are served and marked stale."}
                {state === "skipped" && "Evaluations omit it."}
                {state === "unavailable" && (error ?? "It did not answer.")}
                {unknown > 0 && ` ${counted(unknown, "feature is", "features are")} unknown.`}
              </span>
            </Banner>
          );
        })}
      {!logAvailable && (
        <Banner tone="warn" title="The event log is unavailable.">
          Changes still work and are queued. Times of changes are missing.
        </Banner>
      )}
    </>
  );
}
