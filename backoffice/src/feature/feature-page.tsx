import "./feature-page.css";
import { useQuery } from "@tanstack/react-query";
import { Copy } from "lucide-react";
import { hasStatus } from "../api/problem.ts";
import { useIsEditor } from "../api/session.ts";
import { holdersTabOf, useSources } from "../api/sources.ts";
import { featureQuery } from "../features/feature-list.ts";
import KillDialog from "../features/kill-dialog.tsx";
import { Link } from "../routing/link.tsx";
import { idOf, links } from "../routing/links.ts";
import { setQuery, useLocation } from "../routing/location.ts";
import { IconButton } from "../ui/button.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { StateBadge } from "../ui/feature-state.tsx";
import { useIsNarrow } from "../ui/is-narrow.ts";
import { Shortened } from "../ui/shortened.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { changeCount, changesQuery } from "./changes-query.ts";
import { Decisions } from "./decisions.tsx";
import { DetailsCard } from "./details-card.tsx";
import { FeatureEvents } from "./feature-events.tsx";
import { Holders } from "./holders.tsx";
import { KilledBanner } from "./killed-banner.tsx";
import { RecentChanges } from "./recent-changes.tsx";
import { RuleDialog } from "./rule-dialog.tsx";
import { ScheduleCard } from "./schedule-card.tsx";
import { SourceTable } from "./source-table.tsx";
import { UnknownFeature } from "./unknown-feature.tsx";
import { UsageCard } from "./usage-card.tsx";
import { WhoHasIt } from "./who-has-it.tsx";

const tabs = ["overview", "users", "locations", "events"] as const;

/** The page of a feature: which sources decide it, and the controls to change it. */
export default function FeaturePage({ segment }: { readonly segment: string }) {
  const key = idOf(segment);
  const { query } = useLocation();
  const isEditor = useIsEditor();
  const isNarrow = useIsNarrow();
  const sources = useSources();
  const { data: feature, error, refetch } = useQuery(featureQuery(key));
  const { data: changes } = useQuery({ ...changesQuery(key), enabled: feature !== undefined });
  const tab = tabs.find((name) => name === query.get("tab")) ?? "overview";
  const owner = feature?.catalogue?.owner;
  const edited = sources?.find(({ name, rules }) => rules !== null && name === query.get("edit"));
  const holders = new Set(sources?.map(holdersTabOf));
  const entries = Object.values(feature?.on ?? {}).filter((entry) => typeof entry === "object");
  const users = entries.flatMap((entry) => ("users" in entry ? [entry.users ?? 0] : []));
  const locations = entries.flatMap((entry) => ("location" in entry ? entry.location : []));
  return (
    <div className="page">
      <nav className="crumbs" aria-label="Breadcrumb">
        <Link href={links.features()}>Features</Link>
        {owner && (
          <>
            <span aria-hidden="true">/</span>
            <Link href={links.features({ owner })}>{owner}</Link>
          </>
        )}
      </nav>
      <div className="feature-head">
        <div className="row wrap">
          <h1>
            <Shortened text={key} />
          </h1>
          <IconButton label="Copy the key" onClick={() => void navigator.clipboard?.writeText(key)}>
            <Copy size={15} aria-hidden />
          </IconButton>
          {feature && !isNarrow && <StateBadge state={feature.state} isStale={feature.stale} isLarge />}
        </div>
        {feature?.catalogue?.description && <p className="dim">{feature.catalogue.description}</p>}
      </div>
      {hasStatus(error, 404) ? (
        <UnknownFeature feature={key} />
      ) : error && !feature ? (
        <ErrorNote error={error} onRetry={() => void refetch()} />
      ) : feature && sources ? (
        <>
          {feature.killed && <KilledBanner feature={feature} sources={sources} />}
          <Decisions feature={feature} sources={sources} />
          <Tabs
            label="Parts of the feature"
            value={tab}
            onChange={(next) => setQuery({ tab: next === "overview" ? undefined : next })}
            tabs={[
              { value: "overview", name: "Overview" },
              ...(holders.has("users")
                ? [{ value: "users" as const, name: "Users", count: users.reduce((sum, each) => sum + each, 0) }]
                : []),
              ...(holders.has("locations")
                ? [{ value: "locations" as const, name: "Locations", count: locations.length }]
                : []),
              { value: "events", name: "Events", count: changes && changeCount(changes) },
            ]}
          />
          {tab === "overview" && (
            <div className="two-columns">
              <div className="stack">
                <SourceTable feature={feature} sources={sources} />
                {sources.map((source) => {
                  const entry = feature.on[source.name];
                  if (source.kind !== "schedule" || typeof entry !== "object" || !("rule" in entry)) return null;
                  return <ScheduleCard key={source.name} feature={key} source={source} rule={entry.rule} />;
                })}
                <UsageCard feature={key} />
              </div>
              <div className="stack">
                <DetailsCard feature={feature} />
                <RecentChanges feature={key} />
                <WhoHasIt feature={key} />
              </div>
            </div>
          )}
          {(tab === "users" || tab === "locations") && <Holders key={tab} feature={key} of={tab} />}
          {tab === "events" && <FeatureEvents feature={key} />}
          {edited !== undefined && isEditor && (
            <RuleDialog key={edited.name} feature={key} source={edited} onClose={() => setQuery({ edit: undefined })} />
          )}
          {query.get("kill") === "1" && isEditor && (
            <KillDialog feature={key} onClose={() => setQuery({ kill: undefined })} />
          )}
        </>
      ) : (
        <SkeletonRows count={6} />
      )}
    </div>
  );
}
