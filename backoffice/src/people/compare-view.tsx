import "./compare-view.css";
import { useQuery } from "@tanstack/react-query";
import { ArrowRight, Info } from "lucide-react";
import { useState } from "react";
import { useSourcesByName } from "../api/sources.ts";
import type { Event } from "../events/event-queries.ts";
import { sentenceOf } from "../events/event-sentence.ts";
import { authorIn, dataOf, type SourcesByName } from "../events/event-view.ts";
import { Link } from "../routing/link.tsx";
import { links } from "../routing/links.ts";
import { useLocation } from "../routing/location.ts";
import { Tag } from "../ui/card.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { StateBadge, stateNames } from "../ui/feature-state.tsx";
import { count, counted } from "../ui/numbers.ts";
import { Shortened } from "../ui/shortened.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { Segments } from "../ui/tabs.tsx";
import { dayTime } from "../ui/time.tsx";
import { effectiveChanges, useChangesBetween, useEvent } from "./changes-between.ts";
import { FeatureResults } from "./feature-results.tsx";
import { missingHistoryIn } from "./missing-history.ts";
import type { PersonContext } from "./person-context.ts";
import { type Comparison, comparisonOf, type SummarizedFeature } from "./person-queries.ts";
import { causeOf, stateOf } from "./why.ts";
import { WhyCard } from "./why-card.tsx";

type Difference = Comparison["features"][number];

const groups: readonly { readonly kind: Difference["kind"]; readonly name: string }[] = [
  { kind: "turned-on", name: "On in B only" },
  { kind: "value-changed", name: "Another value" },
  { kind: "turned-off", name: "On in A only" },
  { kind: "undetermined", name: "Unknown on one side" },
];

/** Two users or two moments side by side: what differs, the change that made the difference, and the others between. */
export function CompareView({ one, other }: { readonly one: PersonContext; readonly other: PersonContext }) {
  const { data, error, refetch } = useQuery(comparisonOf(one, other));
  const changes = useChangesBetween(one, other);
  const [shown, setShown] = useState<"differences" | "same">("differences");
  if (error) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonRows count={6} />;
  const { features, differing, same } = data;
  const missing = missingHistoryIn([...data.a.sources, ...data.b.sources]);
  // The others can be told apart only if all that differ are known.
  const canShowSame = features.length === differing;
  const showsSame = shown === "same" && canShowSame;
  return (
    <section className="card compare" aria-label="Comparison">
      <header className="wrap">
        <h2 className="grow">
          {differing === 0
            ? "No feature differs"
            : `${count(differing)} of ${counted(differing + same, "feature")} ${differing === 1 ? "differs" : "differ"}`}
        </h2>
        {canShowSame ? (
          <Segments
            label="Features"
            value={shown}
            onChange={setShown}
            segments={[
              { value: "differences", name: `Differences ${count(differing)}` },
              { value: "same", name: `Same ${count(same)}` },
            ]}
          />
        ) : (
          <span className="small dim num">{count(same)} the same</span>
        )}
      </header>
      {showsSame ? (
        <SameFeatures context={other} differing={new Set(features.map(({ feature }) => feature))} />
      ) : (
        <>
          <div className="compare-row compare-head tiny dim" aria-hidden="true">
            <span>Feature</span>
            <span>
              <b>A</b> {sideText(one)}
            </span>
            <span />
            <span>
              <b>B</b> {sideText(other)}
            </span>
            <span>Changes between</span>
          </div>
          {groups.map(({ kind, name }) => (
            <Group
              key={kind}
              name={name}
              differences={features.filter((difference) => difference.kind === kind)}
              sides={[sideText(one), sideText(other)]}
              changes={changes}
            />
          ))}
          {differing === 0 && <EmptyState title="Both sides get the same features." />}
        </>
      )}
      {missing && (
        <p className="card-body row small dim">
          <Info size={15} aria-hidden /> {missing.title} {missing.consequence}
        </p>
      )}
      {differing > features.length && (
        <p className="card-body small dim">The first {count(features.length)} are shown.</p>
      )}
      {data.log === "unavailable" && (
        <p className="card-body small dim">The event log is unavailable: the changes are not known now.</p>
      )}
    </section>
  );
}

/** The features that both sides get alike, with the reason of one below the opened row. */
function SameFeatures({
  context,
  differing,
}: {
  readonly context: PersonContext;
  readonly differing: ReadonlySet<string>;
}) {
  const key = useLocation().query.get("f") ?? undefined;
  const why = key !== undefined && <WhyCard context={context} feature={key} />;
  return <FeatureResults context={context} without={differing} openKey={key} detail={why} />;
}

function Group({
  name,
  differences,
  sides: [first, second],
  changes,
}: {
  readonly name: string;
  readonly differences: readonly Difference[];
  readonly sides: readonly [string, string];
  readonly changes: readonly Event[];
}) {
  if (differences.length === 0) return null;
  return (
    <>
      <h3 className="compare-group">
        {name} <span className="dim num">{count(differences.length)}</span>
      </h3>
      <ul>
        {differences.map(({ feature, a, b, deciding }) => (
          <li key={feature} className="compare-row">
            <Link className="strong small compare-feature" href={links.feature(feature)}>
              <Shortened text={feature} />
            </Link>
            <Side feature={a} name={`A, ${first}`} />
            <ArrowRight size={15} className="dim" aria-label="then" />
            <Side feature={b} name={`B, ${second}`} />
            <Changes feature={feature} deciding={deciding} changes={changes} otherwise={a.on === null ? a : b} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** The change that made the difference, and the other changes between that are still effective. */
function Changes({
  feature,
  deciding: id,
  changes,
  otherwise,
}: {
  readonly feature: string;
  readonly deciding: string | null;
  readonly changes: readonly Event[];
  /** Without a change, the time, the location or the user makes the difference. */
  readonly otherwise: SummarizedFeature;
}) {
  const sources = useSourcesByName();
  const deciding = useEvent(id, changes);
  const others = effectiveChanges(feature, changes).filter((event) => event.id !== id);
  return (
    <div className="column small">
      {deciding ? (
        <Change feature={feature} event={deciding} sources={sources} isDeciding />
      ) : (
        <span className="dim">{id === null && causeOf(otherwise, sources)}</span>
      )}
      {others.length > 0 && (
        <details className="compare-others">
          <summary className="tiny dim">{counted(others.length, "other change")} between</summary>
          <ul>
            {others.map((event) => (
              <li key={event.id}>
                <Change feature={feature} event={event} sources={sources} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function Change({
  feature,
  event,
  sources,
  isDeciding = false,
}: {
  readonly feature: string;
  readonly event: Event;
  readonly sources: SourcesByName;
  readonly isDeciding?: boolean;
}) {
  const { note } = dataOf(event);
  return (
    <span className="column">
      <Link className="link compare-change" href={links.event(event.position)}>
        {sentenceOf(event, sources, { about: feature })}
      </Link>
      <span className="tiny dim">
        {dayTime(new Date(event.time))} · {authorIn(event)}
        {note && ` · “${note}”`} {isDeciding && <Tag>made the difference</Tag>}
      </span>
    </span>
  );
}

function Side({ feature, name }: { readonly feature: SummarizedFeature; readonly name: string }) {
  const state = stateOf(feature, useSourcesByName());
  const { variant } = feature;
  return (
    <span>
      <span className="for-screen-readers">{name}: </span>
      <StateBadge state={state} text={`${stateNames[state]}${variant === null ? "" : `, ${variant}`}`} />
    </span>
  );
}

const sideText = ({ user, at }: PersonContext): string =>
  `${user ?? "without a token"}, ${at === undefined ? "now" : dayTime(new Date(at))}`;
