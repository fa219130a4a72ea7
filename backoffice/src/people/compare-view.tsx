import "./compare-view.css";
import { useQuery } from "@tanstack/react-query";
import { ArrowRight } from "lucide-react";
import { useState } from "react";
import { Link } from "../routing/link.tsx";
import { links } from "../routing/links.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { StateBadge } from "../ui/feature-state.tsx";
import { count, counted } from "../ui/numbers.ts";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { Segments } from "../ui/tabs.tsx";
import { dayTime } from "../ui/time.tsx";
import { compared, type Difference, groups } from "./comparison.ts";
import type { PersonContext } from "./person-context.ts";
import { type ExplainedFeature, explanationOf } from "./person-queries.ts";

/** Two users or two moments side by side: what differs, and the change that made the difference. */
export default function CompareView({ one, other }: { readonly one: PersonContext; readonly other: PersonContext }) {
  const [first, second] = [useQuery(explanationOf(one)), useQuery(explanationOf(other))];
  const [showsSame, setShowsSame] = useState(false);
  const error = first.error ?? second.error;
  if (error) return <ErrorNote error={error} onRetry={() => void Promise.all([first.refetch(), second.refetch()])} />;
  if (!first.data || !second.data) return <SkeletonRows count={6} />;
  const { differences, same } = compared(first.data, second.data);
  const all = differences.length + same.length;
  return (
    <section className="card compare" aria-label="Comparison">
      <header className="wrap">
        <h2 className="grow">
          {differences.length === 0
            ? "No feature differs"
            : `${count(differences.length)} of ${counted(all, "feature")} differ`}
        </h2>
        <Segments
          label="Shown features"
          value={showsSame ? "same" : "different"}
          onChange={(value) => setShowsSame(value === "same")}
          segments={[
            { value: "different", name: `Differences ${count(differences.length)}` },
            { value: "same", name: `Same ${count(same.length)}` },
          ]}
        />
      </header>
      <div className="compare-row compare-head tiny dim" aria-hidden="true">
        <span>Feature</span>
        <span>
          <b>A</b> {sideText(one)}
        </span>
        <span />
        <span>
          <b>B</b> {sideText(other)}
        </span>
        <span>Change that made the difference</span>
      </div>
      {showsSame ? (
        <ul>
          {same.map((feature) => (
            <li key={feature.feature} className="compare-row">
              <FeatureLink feature={feature} />
              <Side feature={feature} name="A" />
              <span />
              <Side feature={feature} name="B" />
              <span className="tiny dim">{feature.message}</span>
            </li>
          ))}
        </ul>
      ) : (
        groups.map(({ name, holds }) => (
          <Group key={name} name={name} differences={differences.filter(holds)} first={one} second={other} />
        ))
      )}
      {!showsSame && differences.length === 0 && <EmptyState title="Both sides get the same features." />}
    </section>
  );
}

function Group({
  name,
  differences,
  first,
  second,
}: {
  readonly name: string;
  readonly differences: readonly Difference[];
  readonly first: PersonContext;
  readonly second: PersonContext;
}) {
  if (differences.length === 0) return null;
  return (
    <>
      <h3 className="compare-group">
        {name} <span className="dim num">{differences.length}</span>
      </h3>
      <ul>
        {differences.map(({ one, other, change }) => (
          <li key={one.feature} className="compare-row">
            <FeatureLink feature={one} />
            <Side feature={one} name={`A, ${sideText(first)}`} />
            <ArrowRight size={15} className="dim compare-arrow" aria-label="then" />
            <Side feature={other} name={`B, ${sideText(second)}`} />
            <span className="column small">
              {change ? (
                <>
                  <span>
                    {change.set === null
                      ? "rule changed"
                      : `${change.isOn ? "added to" : "removed from"} ${change.set}`}
                  </span>
                  <span className="tiny dim">
                    {dayTime(new Date(change.at))} · {change.by === "external" ? "edited outside Tidegate" : change.by}
                    {change.note && ` · “${change.note}”`}
                  </span>
                </>
              ) : (
                <span className="dim">{other.message}</span>
              )}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

const FeatureLink = ({ feature: { feature } }: { readonly feature: ExplainedFeature }) => (
  <Link className="strong small compare-feature" href={links.feature(feature)}>
    {feature}
  </Link>
);

const Side = ({ feature: { on, variant }, name }: { readonly feature: ExplainedFeature; readonly name: string }) => (
  <span>
    <span className="for-screen-readers">{name}: </span>
    {on === null ? (
      <StateBadge state="unknown" />
    ) : (
      <StateBadge state={on ? "on" : "off"} text={on && variant !== null ? `On, ${variant}` : on ? "On" : "Off"} />
    )}
  </span>
);

const sideText = ({ user, at }: PersonContext): string =>
  `${user ?? "without a token"}, ${at === undefined ? "now" : dayTime(new Date(at))}`;
