import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import { Link } from "../routing/link.tsx";
import { links } from "../routing/links.ts";
import { setQuery, useLocation } from "../routing/location.ts";
import { Banner } from "../ui/banner.tsx";
import { Card } from "../ui/card.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { useIsNarrow } from "../ui/is-narrow.ts";
import { joined } from "../ui/numbers.ts";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { dayTime } from "../ui/time.tsx";
import { FeatureResults } from "./feature-results.tsx";
import type { PersonContext } from "./person-context.ts";
import { explanationOf, featuresFor, type SummaryPage } from "./person-queries.ts";
import { stateWord } from "./why.ts";
import { WhyChain } from "./why-chain.tsx";

/** What a person's app gets, and why each feature is on or off; now, or read-only at another moment. */
export function PersonView({ context }: { readonly context: PersonContext }) {
  const key = useLocation().query.get("f") ?? undefined;
  const { data } = useInfiniteQuery(featuresFor(context, "on", ""));
  const evaluated = data?.pages[0]?.context;
  const isNarrow = useIsNarrow();
  const why = key === undefined ? undefined : <Why context={context} feature={key} />;
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

function Why({ context, feature: key }: { readonly context: PersonContext; readonly feature: string }) {
  const { data, error, refetch } = useQuery(explanationOf(context, key));
  if (error) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  const feature = data?.features[0];
  if (!data || !feature) return <SkeletonRows count={4} />;
  return (
    <Card
      title={`Why ${key} ${data.state === "history" ? "was" : "is"} ${stateWord(feature.on)}`}
      actions={
        <Link className="link small" href={links.feature(key)}>
          Open feature
        </Link>
      }
    >
      <WhyChain context={context} explanation={data} feature={feature} />
    </Card>
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
  const without = sources.filter(({ state }) => state === "no-history");
  const since = without
    .flatMap(({ historyFrom }) => historyFrom ?? [])
    .sort()
    .at(-1);
  const names = joined(without.map(({ name }) => name));
  return (
    <>
      {without.length > 0 && (
        <Banner
          tone="warn"
          title={`No history of ${names} ${since === undefined ? "at that moment" : `before ${dayTime(new Date(since))}`}.`}
        >
          Features that depend on {without.length === 1 ? "it" : "them"} show as unknown, never as a guess.
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
