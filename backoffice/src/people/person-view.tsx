import { useInfiniteQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import { setQuery, useLocation } from "../routing/location.ts";
import { Banner } from "../ui/banner.tsx";
import { Card } from "../ui/card.tsx";
import { useIsNarrow } from "../ui/is-narrow.ts";
import { dayTime } from "../ui/time.tsx";
import { FeatureResults } from "./feature-results.tsx";
import { missingHistoryIn } from "./missing-history.ts";
import type { PersonContext } from "./person-context.ts";
import { featuresFor, type SummaryPage } from "./person-queries.ts";
import { WhyCard } from "./why-card.tsx";

/** What a person's app gets, and why each feature is on or off; now, or read-only at another moment. */
export function PersonView({ context }: { readonly context: PersonContext }) {
  const key = useLocation().query.get("f") ?? undefined;
  const { data } = useInfiniteQuery(featuresFor(context, "on", ""));
  const evaluated = data?.pages[0]?.context;
  const isNarrow = useIsNarrow();
  const why = key === undefined ? undefined : <WhyCard context={context} feature={key} />;
  return (
    <>
      <div className="person-banners">
        {context.at !== undefined && <MomentBanner at={context.at} isPast={evaluated?.state === "history"} />}
        {evaluated && <MissingResults context={evaluated} />}
      </div>
      <div className="person">
        <FeatureResults context={context} openKey={key} detail={isNarrow ? why : undefined} />
        {!isNarrow && (
          <div className="person-why">
            {why ?? (
              <Card title="Why">
                <p className="small dim">Choose a feature to see why it is on or off.</p>
              </Card>
            )}
          </div>
        )}
      </div>
    </>
  );
}

const MomentBanner = ({ at, isPast }: { readonly at: string; readonly isPast: boolean }) => (
  <Banner
    tone="info"
    icon={<History size={16} aria-hidden />}
    title={`You see ${dayTime(new Date(at))}, with today’s configuration.`}
    action={
      <button type="button" className="link small" onClick={() => setQuery({ mode: undefined, at: undefined })}>
        Back to now
      </button>
    }
  >
    {isPast ? "It is read-only." : "Sets and rules are those of now; the clock is that of the moment."}
  </Banner>
);

/** Sources without a result: what depends on them is unknown, never off. */
function MissingResults({ context: { sources } }: { readonly context: SummaryPage["context"] }) {
  const unavailable = sources.filter(({ state }) => state === "unavailable" || state === "skipped");
  const missing = missingHistoryIn(sources);
  return (
    <>
      {missing && (
        <Banner tone="warn" title={missing.title}>
          {missing.consequence}
        </Banner>
      )}
      {unavailable.map(({ name, error }) => (
        <Banner key={name} tone="warn" title={`Source ${name} is unavailable.`}>
          {error ?? "Features that depend on it show as unknown."}
        </Banner>
      ))}
    </>
  );
}
