import "./feature-results.css";
import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Plus } from "lucide-react";
import { type ReactNode, useRef, useState } from "react";
import { useIsEditor } from "../api/session.ts";
import { useIsPaused } from "../live/connection.ts";
import { setQuery, useLocation } from "../routing/location.ts";
import { Button } from "../ui/button.tsx";
import { Tag } from "../ui/card.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { StateIcon } from "../ui/feature-state.tsx";
import { SearchField } from "../ui/field.tsx";
import { count } from "../ui/numbers.ts";
import { Segments } from "../ui/tabs.tsx";
import { AddFeatureDialog } from "./add-feature-dialog.tsx";
import { type ExplainedFeature, type Explanation, userOf } from "./person-queries.ts";
import { useOwnSetChange } from "./use-own-set-change.ts";

const rowHeight = 52;

/** The features that are on and off for a person. Features of the person's own set can be removed. */
export function FeatureResults({
  explanation,
  userId,
  openKey,
  detail,
}: {
  readonly explanation: Explanation;
  /** The user whose own set can be changed; `undefined` if it cannot. */
  readonly userId: string | undefined;
  readonly openKey: string | undefined;
  /** Shown below the opened row. */
  readonly detail: ReactNode;
}) {
  const tab = useLocation().query.get("tab") === "off" ? "off" : "on";
  const [filter, setFilter] = useState("");
  const [isAdding, setAdding] = useState(false);
  const isEditor = useIsEditor();
  const on = explanation.features.filter((feature) => feature.on);
  const off = explanation.features.filter((feature) => !feature.on);
  const shown = (tab === "on" ? on : off).filter(({ feature }) => feature.includes(filter.trim()));
  const { data: user } = useQuery({ ...userOf(userId ?? ""), enabled: userId !== undefined });
  const ownSets = userId !== undefined && isEditor ? (user?.sets ?? []) : [];
  const own = ownSets[0];
  const change = useOwnSetChange(userId ?? "");
  return (
    <section className="card feature-results" aria-label="Features">
      <header className="wrap">
        <Segments
          label="State"
          value={tab}
          onChange={(next) => setQuery({ tab: next === "on" ? undefined : next })}
          segments={[
            { value: "on", name: `On ${count(on.length)}` },
            { value: "off", name: `Off ${count(off.length)}` },
          ]}
        />
        <SearchField label="Filter" value={filter} onChange={({ currentTarget }) => setFilter(currentTarget.value)} />
        {own && (
          <Button look="primary" isCompact className="push" onClick={() => setAdding(true)}>
            <Plus size={15} aria-hidden />
            Add feature
          </Button>
        )}
      </header>
      {change.error && <ErrorNote error={change.error} />}
      {shown.length === 0 && (
        <EmptyState
          title={filter ? "No feature matches." : tab === "on" ? "No feature is on." : "No feature is off."}
        />
      )}
      <Rows
        features={shown}
        openKey={openKey}
        detail={detail}
        actionOf={(feature) => {
          const set = ownSets.find(({ features }) => features.includes(feature));
          if (!set) return undefined;
          return (
            <RemoveButton
              feature={feature}
              onRemove={() => change.mutate({ source: set.source, feature, isAdded: false })}
            />
          );
        }}
      />
      {isAdding && own && userId !== undefined && (
        <AddFeatureDialog
          known={off.map(({ feature }) => feature).filter((feature) => !own.features.includes(feature))}
          userId={userId}
          source={own.source}
          onClose={() => setAdding(false)}
        />
      )}
    </section>
  );
}

const RemoveButton = ({ feature, onRemove }: { readonly feature: string; readonly onRemove: () => void }) => {
  const isPaused = useIsPaused();
  return (
    <Button look="ghost" isCompact aria-label={`Remove ${feature}`} disabled={isPaused} onClick={onRemove}>
      Remove
    </Button>
  );
};

/** Rows of which only those in view are in the page. */
function Rows({
  features,
  openKey,
  detail,
  actionOf,
}: {
  readonly features: readonly ExplainedFeature[];
  readonly openKey: string | undefined;
  readonly detail: ReactNode;
  readonly actionOf: (feature: string) => ReactNode;
}) {
  const region = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: features.length,
    getScrollElement: () => region.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    getItemKey: (index) => features[index]?.feature ?? index,
  });
  return (
    <div className="feature-results-rows" ref={region}>
      <ul style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, key, start }) => {
          const feature = features[index];
          if (!feature) return null;
          const isOpen = feature.feature === openKey;
          return (
            <li
              key={key}
              ref={rows.measureElement}
              data-index={index}
              className={isOpen ? "open" : ""}
              style={{ transform: `translateY(${start}px)` }}
            >
              <div className="feature-results-row">
                <button
                  type="button"
                  aria-expanded={isOpen}
                  onClick={() => setQuery({ f: isOpen ? undefined : feature.feature })}
                >
                  <StateIcon state={stateOf(feature)} size={16} />
                  <span className="grow column">
                    <span className="strong ellipsis">{feature.feature}</span>
                    <span className="tiny dim ellipsis">{feature.message.replace(/^\w+: /, "")}</span>
                  </span>
                  {feature.variant !== null && <Tag>{feature.variant}</Tag>}
                </button>
                {actionOf(feature.feature) ?? <Deciding feature={feature} />}
              </div>
              {isOpen && detail}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

const Deciding = ({ feature: { decidedBy } }: { readonly feature: ExplainedFeature }) =>
  decidedBy[0] === undefined ? null : (
    <span className="wide-only">
      <Tag>{decidedBy[0]}</Tag>
    </span>
  );

const stateOf = ({ on }: ExplainedFeature) => (on === null ? "unknown" : on ? "on" : "off");
