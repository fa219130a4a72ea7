import { useQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import { Problem } from "../api/problem.ts";
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
import { type ExplainedFeature, type Explanation, explanationOf } from "./person-queries.ts";
import { stateWord, WhyChain } from "./why-chain.tsx";

/** What a person's app gets, and why each feature is on or off; now, or read-only at another moment. */
export function PersonView({ context }: { readonly context: PersonContext }) {
  const { query } = useLocation();
  const { data, error, refetch } = useQuery(explanationOf(context));
  const isNarrow = useIsNarrow();
  if (error && !(data && error instanceof Problem && error.status === 0))
    return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonRows count={8} />;
  const key = query.get("f");
  const feature = data.features.find((each) => each.feature === key);
  const why = feature && <Why explanation={data} feature={feature} isPast={data.state === "history"} />;
  return (
    <>
      <div className="person-banners">
        {context.at !== undefined && <MomentBanner at={context.at} isPast={data.state === "history"} />}
        <MissingResults explanation={data} />
      </div>
      <div className="person">
        <FeatureResults
          explanation={data}
          userId={context.at === undefined ? context.user : undefined}
          openKey={key ?? undefined}
          detail={isNarrow ? why : undefined}
        />
        {!isNarrow && (
          <div className="person-why">
            {why ?? (
              <Card title="Why">
                <p className="small dim">
                  {key === null
                    ? "Choose a feature to see why it is on or off."
                    : data.incomplete.length > 0
                      ? `What ${key} was is not known: sources that could list it have no result.`
                      : `No source lists ${key}, and nobody described it. It is off.`}
                </p>
              </Card>
            )}
          </div>
        )}
      </div>
    </>
  );
}

const Why = ({
  explanation,
  feature,
  isPast,
}: {
  readonly explanation: Explanation;
  readonly feature: ExplainedFeature;
  readonly isPast: boolean;
}) => (
  <Card
    title={`Why ${feature.feature} ${isPast ? "was" : "is"} ${stateWord(feature.on)}`}
    actions={
      <Link className="link small" href={links.feature(feature.feature)}>
        Open feature
      </Link>
    }
  >
    <WhyChain explanation={explanation} feature={feature} />
  </Card>
);

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
function MissingResults({ explanation: { sources } }: { readonly explanation: Explanation }) {
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
