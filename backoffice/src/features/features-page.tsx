import "./features-page.css";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { CheckSquare, Plus, Rows3 } from "lucide-react";
import { useCallback, useMemo, useRef, useState } from "react";
import { useIsEditor } from "../api/session.ts";
import { everyoneSourceOf, useSources } from "../api/sources.ts";
import { useShortcuts } from "../keyboard/shortcuts.ts";
import { useIsPaused } from "../live/connection.ts";
import { setQuery, useLocation } from "../routing/location.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { useIsNarrow } from "../ui/is-narrow.ts";
import { count } from "../ui/numbers.ts";
import { onDemand } from "../ui/on-demand.tsx";
import { useStored } from "../ui/stored.ts";
import { Tabs } from "../ui/tabs.tsx";
import { useFeatureChanges } from "./changes.ts";
import { featureList, featureSummary } from "./feature-list.ts";
import { FeatureTable, type RowFocus } from "./feature-table.tsx";
import { FilterBar } from "./filter-bar.tsx";
import { clearFilters, type FeatureFilters, filtersIn, hasFilters } from "./filters.ts";
import { ListActionsProvider } from "./list-actions.ts";
import { useLiveList } from "./list-live.ts";
import { SourceBanners } from "./source-banners.tsx";
import { useUsage } from "./usage.ts";

const KillDialog = onDemand(() => import("./kill-dialog.tsx"));
const NewFeature = onDemand(() => import("./new-feature.tsx"));
const BulkBar = onDemand(() => import("./bulk-bar.tsx"));
const SwitchDialog = onDemand(() => import("./switch-dialog.tsx"));

const tabs = [
  { value: "all", name: "All" },
  { value: "on", name: "On for everyone" },
  { value: "on-for-some", name: "On for some" },
  { value: "scheduled", name: "Scheduled" },
  { value: "off", name: "Off" },
  { value: "held", name: "Held by gate" },
  { value: "killed", name: "Killed" },
  { value: "unknown", name: "Unknown" },
] as const;

/** Evaluations in the last day from which switching off asks first: about 1,000 a minute. */
const busyDay = 1_440_000;

/** The page Features: what is on, and where. */
export function FeaturesPage() {
  const { query } = useLocation();
  const link = query.toString();
  // The same filters are the same object, so that the list is not rendered again for nothing.
  const filters = useMemo(() => filtersIn(new URLSearchParams(link)), [link]);
  const isNarrow = useIsNarrow();
  const isEditor = useIsEditor();
  const isPaused = useIsPaused();
  const [density, setDensity] = useStored("tidegate.density", "comfortable");
  const [isSelecting, setSelecting] = useState(false);
  const [isSelectingAll, setSelectingAll] = useState(false);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [asking, setAsking] = useState<{ readonly for: "off" | "new"; readonly key: string }>();
  const [error, setError] = useState<unknown>();

  const list = useInfiniteQuery(featureList(filters));
  const { data: summary } = useQuery({ ...featureSummary(filters), enabled: list.data !== undefined });
  const sources = useSources();
  const pages = list.data?.pages ?? none;
  // Counts grow between two pages, so a feature may be on both.
  const rows = useMemo(
    () => [...new Map(pages.flatMap(({ features }) => features).map((each) => [each.feature, each])).values()],
    [pages],
  );
  const keys = useMemo(() => rows.map(({ feature }) => feature), [rows]);
  const usage = useUsage(pages);
  const { flashing, moved, reload } = useLiveList(keys);
  const changes = useFeatureChanges();
  const everyone = sources && everyoneSourceOf(sources);
  const everyoneSource = everyone?.name;

  const head = summary ?? pages[0];
  const total = list.data && !list.hasNextPage ? rows.length : pages[0]?.total;
  const all = head && Object.values(head.counts).reduce((sum, each) => sum + each, 0);

  const report = useCallback((work: Promise<unknown>) => void work.then(() => setError(undefined), setError), []);
  const toggleSelected = useCallback(
    (key: string) => setSelected((now) => (now.has(key) ? without(now, key) : new Set([...now, key]))),
    [],
  );
  const actions = useMemo(
    () => ({
      sources: sources ?? [],
      everyoneSource,
      isEditor,
      selected,
      usage,
      toggleSelected,
      switchEveryone: (key: string, isOn: boolean) => {
        const used = usage.get(key);
        if (!isOn && (used?.total ?? 0) > busyDay) setAsking({ for: "off", key });
        else if (everyoneSource !== undefined) report(changes.switchEveryone(everyoneSource, key, isOn, used));
      },
      kill: (key: string) => setQuery({ kill: key }),
      undoKill: (key: string) => report(changes.undoKill(key)),
    }),
    [sources, everyoneSource, isEditor, selected, usage, toggleSelected, changes, report],
  );

  const selectAll = async () => {
    setSelectingAll(true);
    try {
      let { data, hasNextPage } = list;
      while (hasNextPage) ({ data, hasNextPage } = await list.fetchNextPage({ throwOnError: true }));
      setSelected(new Set(data?.pages.flatMap(({ features }) => features.map(({ feature }) => feature))));
    } finally {
      setSelectingAll(false);
    }
  };
  const isAllSelected = selected.size > 0 && selected.size === total;
  const clearSelection = () => {
    setSelected(new Set());
    setSelecting(false);
  };

  const table = useRef<RowFocus>(null);
  useRowShortcuts({
    keys,
    focusRow: (index) => table.current?.focusRow(index),
    select: isEditor ? toggleSelected : () => {},
    switchEveryone: (key) => {
      const row = rows.find(({ feature }) => feature === key);
      if (!row || !isEditor || isPaused || row.state === "killed" || everyoneSource === undefined) return;
      actions.switchEveryone(key, row.on[everyoneSource] !== true);
    },
    kill: (key) => isEditor && !isPaused && actions.kill(key),
    clear: clearSelection,
  });

  const killing = query.get("kill");
  return (
    <div className="page fixed">
      <div className="page-head">
        <h1 className="grow">Features</h1>
        <Button
          className="wide-only"
          aria-pressed={density === "compact"}
          onClick={() => setDensity(density === "compact" ? "comfortable" : "compact")}
        >
          <Rows3 size={15} aria-hidden />
          {density === "compact" ? "Comfortable" : "Compact"}
        </Button>
        {isEditor && isNarrow && (
          <IconButton label="Select features" className="bordered" onClick={() => setSelecting(!isSelecting)}>
            <CheckSquare size={17} aria-hidden />
          </IconButton>
        )}
        {isEditor && (
          <Button look="primary" isChange aria-label="New feature" onClick={() => setAsking({ for: "new", key: "" })}>
            <Plus size={16} aria-hidden />
            <span className="wide-only">New feature</span>
          </Button>
        )}
      </div>
      <Tabs
        label="State"
        value={filters.state ?? "all"}
        tabs={tabs.map((tab) => ({ ...tab, count: tab.value === "all" ? all : head && (head.counts[tab.value] ?? 0) }))}
        onChange={(value) => setQuery({ state: value === "all" ? undefined : value })}
      />
      <FilterBar filters={filters} isNarrow={isNarrow} />
      {head && <SourceBanners {...head} />}
      {error !== undefined && (
        <div className="features-page-error">
          <ErrorNote error={error} />
        </div>
      )}
      {list.error && !list.data ? (
        <ErrorNote error={list.error} onRetry={() => void list.refetch()} />
      ) : (
        <ListActionsProvider value={actions}>
          <FeatureTable
            ref={table}
            rows={rows}
            total={total}
            sort={filters.sort}
            isCompact={density === "compact"}
            isNarrow={isNarrow}
            isSelecting={isSelecting || selected.size > 0}
            flashing={flashing}
            isAllSelected={isAllSelected}
            onSelectAll={() => {
              if (selected.size > 0) clearSelection();
              else if (!isSelectingAll) report(selectAll());
            }}
            onEnd={() => void (!list.isFetchingNextPage && list.hasNextPage && list.fetchNextPage())}
            empty={
              <NothingFound
                filters={filters}
                known={head?.known ?? 0}
                onNew={isEditor && ((key) => setAsking({ for: "new", key }))}
              />
            }
          />
        </ListActionsProvider>
      )}
      {moved > 0 && selected.size === 0 && (
        <button type="button" className="features-page-moved" onClick={reload}>
          {count(moved)} new or moved. <b>Reload order.</b>
        </button>
      )}
      {isSelectingAll && (
        <p className="bulk-bar small" role="status">
          Selecting {count(rows.length)} of {count(total ?? rows.length)}…
        </p>
      )}
      {selected.size > 0 && isEditor && (
        <BulkBar
          selected={rows.filter(({ feature }) => selected.has(feature))}
          isAll={isAllSelected && selected.size > 1}
          sources={sources ?? []}
          onClear={clearSelection}
        />
      )}
      {killing && isEditor && <KillDialog feature={killing} onClose={() => setQuery({ kill: undefined })} />}
      {asking?.for === "off" && everyone && (
        <SwitchDialog feature={asking.key} source={everyone} onClose={() => setAsking(undefined)} />
      )}
      {asking?.for === "new" && <NewFeature suggested={asking.key} onClose={() => setAsking(undefined)} />}
    </div>
  );
}

const none: never[] = [];

function without(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const copy = new Set(set);
  copy.delete(key);
  return copy;
}

function NothingFound({
  filters,
  known,
  onNew,
}: {
  readonly filters: FeatureFilters;
  readonly known: number;
  readonly onNew: false | ((key: string) => void);
}) {
  if (!hasFilters(filters)) {
    return (
      <EmptyState title="No features yet" action={onNew && <Button onClick={() => onNew("")}>New feature</Button>}>
        Create one, or import a file.
      </EmptyState>
    );
  }
  const { search } = filters;
  return (
    <EmptyState title="No feature matches" action={<Button onClick={clearFilters}>Clear filters</Button>}>
      {count(known)} features exist. Remove a filter
      {search && onNew ? (
        <>
          , or{" "}
          <button type="button" className="link" onClick={() => onNew(search)}>
            create “{search}”
          </button>
        </>
      ) : null}
      .
    </EmptyState>
  );
}

/** The shortcuts of the list. The current row is the one whose link has the focus. */
function useRowShortcuts({
  keys,
  focusRow,
  select,
  switchEveryone,
  kill,
  clear,
}: {
  readonly keys: readonly string[];
  readonly focusRow: (index: number) => void;
  readonly select: (key: string) => void;
  readonly switchEveryone: (key: string) => void;
  readonly kill: (key: string) => void;
  readonly clear: () => void;
}): void {
  const current = useRef(-1);
  const withCurrent = (act: (key: string) => void) => () => {
    const key = keys[current.current];
    if (key !== undefined) act(key);
  };
  const move = (step: number) => () => {
    const focused = document.activeElement?.closest<HTMLElement>("[data-index]")?.dataset["index"];
    const from = focused === undefined ? current.current : Number(focused);
    current.current = Math.max(0, Math.min(keys.length - 1, from + step));
    focusRow(current.current);
  };
  useShortcuts({
    j: move(1),
    k: move(-1),
    x: withCurrent(select),
    e: withCurrent(switchEveryone),
    "Shift+K": withCurrent(kill),
    Escape: clear,
  });
}
