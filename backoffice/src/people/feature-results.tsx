import "./feature-results.css";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type ReactNode, useDeferredValue, useState } from "react";
import { useIsEditor } from "../api/session.ts";
import { setQuery, useLocation } from "../routing/location.ts";
import { Button } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { SearchField } from "../ui/field.tsx";
import { count } from "../ui/numbers.ts";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { Segments } from "../ui/tabs.tsx";
import { AddFeatureDialog } from "./add-feature-dialog.tsx";
import { FeatureRows } from "./feature-rows.tsx";
import type { PersonContext } from "./person-context.ts";
import { featuresFor, type PersonState, personStates, userOf } from "./person-queries.ts";
import { useOwnSetChange } from "./use-own-set-change.ts";

const names: Readonly<Record<PersonState, string>> = { on: "On", off: "Off", undetermined: "Unknown" };

/**
 * The features of a person by state. Features of the person's own set can be added and removed, unless it is past or
 * some are left out.
 */
export function FeatureResults({
  context,
  without,
  openKey,
  detail,
}: {
  readonly context: PersonContext;
  /** Features that are left out. */
  readonly without?: ReadonlySet<string>;
  readonly openKey: string | undefined;
  /** Shown below the opened row. */
  readonly detail: ReactNode;
}) {
  const { query } = useLocation();
  const state = personStates.find((each) => each === query.get("tab")) ?? "on";
  const [filter, setFilter] = useState("");
  const [isAdding, setAdding] = useState(false);
  const isEditor = useIsEditor();
  const search = useDeferredValue(filter.trim());
  const pages = useInfiniteQuery(featuresFor(context, state, search));
  const userId = context.at === undefined && !without ? context.user : undefined;
  const { data: user } = useQuery({ ...userOf(userId ?? ""), enabled: userId !== undefined });
  const ownSets = isEditor && userId !== undefined ? (user?.sets ?? []) : [];
  const [own] = ownSets;
  const { change, error } = useOwnSetChange(context);
  const counts = pages.data?.pages[0]?.counts;
  const all = pages.data?.pages.flatMap((page) => page.features) ?? [];
  const features = without ? all.filter(({ feature }) => !without.has(feature)) : all;
  return (
    <section className="card feature-results" aria-label="Features">
      <header className="wrap">
        <Segments
          label="State"
          value={state}
          onChange={(next) => setQuery({ tab: next === "on" ? undefined : next })}
          segments={personStates
            .filter((each) => each !== "undetermined" || state === each || (counts?.undetermined ?? 0) > 0)
            .map((each) => ({
              value: each,
              name: counts && !without ? `${names[each]} ${count(counts[each])}` : names[each],
            }))}
        />
        <SearchField label="Filter" value={filter} onChange={({ currentTarget }) => setFilter(currentTarget.value)} />
        {own && (
          <Button look="primary" isCompact isChange className="push" onClick={() => setAdding(true)}>
            <Plus size={15} aria-hidden />
            Add feature
          </Button>
        )}
      </header>
      {error && <ErrorNote error={error} />}
      {pages.error && <ErrorNote error={pages.error} onRetry={() => void pages.refetch()} />}
      {pages.isPending && !pages.error && <SkeletonRows count={8} />}
      {pages.data && features.length === 0 && !pages.hasNextPage && (
        <EmptyState title={`No feature ${search ? "that matches " : ""}is ${names[state].toLowerCase()}.`}>
          {counts && !without && othersIn(counts, state)}
        </EmptyState>
      )}
      <FeatureRows
        features={features}
        openKey={openKey}
        detail={detail}
        onEnd={() => {
          if (pages.hasNextPage && !pages.isFetchingNextPage) void pages.fetchNextPage();
        }}
        actionOf={(feature) => {
          const set = ownSets.find((each) => each.features.includes(feature));
          return (
            set && (
              <RemoveButton
                feature={feature}
                onRemove={() => change({ source: set.source, feature, isAdded: false })}
              />
            )
          );
        }}
      />
      {isAdding && own && userId !== undefined && (
        <AddFeatureDialog context={context} userId={userId} source={own.source} onClose={() => setAdding(false)} />
      )}
    </section>
  );
}

/** Where the features are that a state does not show, such as `1 is off, 4 are unknown.` */
const othersIn = (counts: Readonly<Record<PersonState, number>>, state: PersonState): string | undefined => {
  const others = personStates.filter((each) => each !== state && counts[each] > 0);
  if (others.length === 0) return undefined;
  const texts = others.map(
    (each) => `${count(counts[each])} ${counts[each] === 1 ? "is" : "are"} ${names[each].toLowerCase()}`,
  );
  return `${texts.join(", ")}.`;
};

const RemoveButton = ({ feature, onRemove }: { readonly feature: string; readonly onRemove: () => void }) => {
  return (
    <Button look="ghost" isCompact aria-label={`Remove ${feature}`} isChange onClick={onRemove}>
      Remove
    </Button>
  );
};
