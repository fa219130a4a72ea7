import "./feature-table.css";
import { Checkbox } from "@mantine/core";
import { columnVisibilityFeature, createColumnHelper, tableFeatures, useTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import {
  type ReactNode,
  type Ref,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { setQuery } from "../routing/location.ts";
import { Skeleton } from "../ui/skeleton.tsx";
import { type ColumnId, gridOf, useFittingColumns } from "./column-fit.ts";
import { FeatureCard } from "./feature-card.tsx";
import {
  ChangedCell,
  EveryoneCell,
  KeyCell,
  KillCell,
  OwnerCell,
  SelectCell,
  StateCell,
  UsageCell,
  WhereCell,
} from "./feature-cells.tsx";
import type { Feature } from "./feature-list.ts";
import { defaultSort, type FeatureSort } from "./filters.ts";
import { useListActions } from "./list-actions.ts";

const features = tableFeatures({ columnVisibilityFeature });
const helper = createColumnHelper<typeof features, Feature>();
const column = (id: string, header: string, Cell: (props: { readonly feature: Feature }) => ReactNode) =>
  helper.display({ id, header, cell: ({ row }) => <Cell feature={row.original} /> });

const columns = [
  column("select", "", SelectCell),
  column("key", "Feature", KeyCell),
  column("state", "State", StateCell),
  column("where", "Where it is on", WhereCell),
  column("usage", "On, last 24 h", UsageCell),
  column("owner", "Owner", OwnerCell),
  column("changed", "Changed", ChangedCell),
  column("everyone", "Everyone", EveryoneCell),
  column("kill", "Kill", KillCell),
];
const sortable: Readonly<Record<string, "key" | "evaluated" | "changed">> = {
  key: "key",
  usage: "evaluated",
  changed: "changed",
};

/** Height of a row, in pixels. */
const heights = { comfortable: 52, compact: 38, card: 100 };
/** Rows from the end at which the next page is read. */
const readAhead = 60;

/** Moves through the rows by keyboard. */
export type RowFocus = { readonly focusRow: (index: number) => void };

type FeatureTableProps = {
  readonly rows: readonly Feature[];
  /** The number of rows, also those that are not read yet. `undefined` while it is not known. */
  readonly total: number | undefined;
  readonly sort: FeatureSort;
  readonly isCompact: boolean;
  readonly isNarrow: boolean;
  readonly isSelecting: boolean;
  readonly flashing: ReadonlySet<string>;
  readonly isAllSelected: boolean;
  readonly onSelectAll: () => void;
  readonly onEnd: () => void;
  readonly empty: ReactNode;
  readonly ref?: Ref<RowFocus>;
};

/** The list of features, of which only the visible rows are in the document. Cards in narrow windows. */
export function FeatureTable({
  rows,
  total,
  sort,
  isCompact,
  isNarrow,
  isSelecting,
  flashing,
  isAllSelected,
  onSelectAll,
  onEnd,
  empty,
  ref,
}: FeatureTableProps) {
  const { isEditor, everyoneSource, selected } = useListActions();
  const hasEveryone = everyoneSource !== undefined;
  const wanted = useMemo(
    () =>
      columns
        .map(({ id }) => id as ColumnId)
        .filter((id) => (id === "everyone" ? hasEveryone : isEditor || (id !== "select" && id !== "kill"))),
    [isEditor, hasEveryone],
  );
  const fitting = [...useFittingColumns(wanted)].join(" ");
  const columnVisibility = useMemo(
    () => Object.fromEntries(columns.map(({ id }) => [id, fitting.split(" ").includes(String(id))])),
    [fitting],
  );
  const table = useTable({
    features,
    columns,
    data: rows,
    getRowId: ({ feature }) => feature,
    state: { columnVisibility },
  });
  const tableRows = table.getRowModel().rows;
  const visible = table.getVisibleLeafColumns();
  const gridTemplateColumns = gridOf(visible.map(({ id }) => id));

  const body = useRef<HTMLDivElement>(null);
  const height = isNarrow ? heights.card : isCompact ? heights.compact : heights.comfortable;
  const virtualizer = useVirtualizer({
    count: total ?? 0,
    getScrollElement: () => body.current,
    estimateSize: () => height,
    overscan: 4,
  });
  useEffect(() => virtualizer.measure(), [height]);
  const items = virtualizer.getVirtualItems();
  const isScrolling = virtualizer.getTotalSize() > (virtualizer.scrollRect?.height ?? 0);
  const [scrollbar, setScrollbar] = useState(0);
  // The columns are below their headings beside a scrollbar, too. Often it takes no space.
  useLayoutEffect(() => {
    const { offsetWidth = 0, clientWidth = 0 } = body.current ?? {};
    setScrollbar(offsetWidth - clientWidth);
  }, [isScrolling]);
  const last = items.at(-1)?.index ?? 0;
  const isIncomplete = total !== undefined && rows.length < total;
  useEffect(() => {
    if (isIncomplete && last > rows.length - readAhead) onEnd();
  }, [isIncomplete, last, rows.length, onEnd]);

  useImperativeHandle(ref, () => ({
    focusRow: (index) => {
      virtualizer.scrollToIndex(index);
      requestAnimationFrame(() => {
        body.current?.querySelector<HTMLElement>(`[data-index="${index}"] .feature-key`)?.focus();
      });
    },
  }));

  return (
    // biome-ignore lint/a11y/useSemanticElements: rows are positioned, which a table does not allow
    <div className="feature-table" role="table" aria-label="Features" aria-rowcount={(total ?? 0) + 1}>
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      <div role="rowgroup">
        {/* biome-ignore lint/a11y/useSemanticElements: see above */}
        {/* biome-ignore lint/a11y/useFocusableInteractive: its buttons are */}
        <div
          className="feature-table-head"
          role="row"
          aria-rowindex={1}
          style={{ gridTemplateColumns, paddingRight: 14 + scrollbar }}
        >
          {visible.map(({ id, columnDef: { header } }) =>
            id === "select" ? (
              <HeadCell key={id} id={id} sort={sort}>
                <Checkbox
                  size="xs"
                  aria-label="Select all that match"
                  checked={isAllSelected}
                  indeterminate={selected.size > 0 && !isAllSelected}
                  onChange={onSelectAll}
                />
              </HeadCell>
            ) : (
              <HeadCell key={id} id={id} sort={sort}>
                {String(header)}
              </HeadCell>
            ),
          )}
        </div>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <div className="feature-table-body" role="rowgroup" ref={body} tabIndex={0} aria-label="Feature rows">
        {total === undefined && <LoadingRows height={height} ids={isNarrow ? ["key"] : visible.map(({ id }) => id)} />}
        {total === 0 && empty}
        <div role="presentation" style={{ height: virtualizer.getTotalSize(), position: "relative" }}>
          {items.map(({ index, start }) => {
            const row = tableRows[index];
            const key = row?.id ?? `unread-${index}`;
            const classes = [
              "feature-row",
              isNarrow ? "card-row" : "",
              row && selected.has(row.id) ? "selected" : "",
              row && flashing.has(row.id) ? "flashing" : "",
            ];
            return (
              // biome-ignore lint/a11y/useSemanticElements: see above
              // biome-ignore lint/a11y/useFocusableInteractive: its controls are
              <div
                key={key}
                role="row"
                aria-rowindex={index + 2}
                data-index={index}
                className={classes.join(" ")}
                style={{ height, transform: `translateY(${start}px)`, ...(!isNarrow && { gridTemplateColumns }) }}
              >
                {!row ? (
                  <UnreadRow ids={isNarrow ? ["key"] : visible.map(({ id }) => id)} index={index} />
                ) : isNarrow ? (
                  <FeatureCard feature={row.original} isSelecting={isSelecting} />
                ) : (
                  row.getVisibleCells().map((cell) => (
                    // biome-ignore lint/a11y/useSemanticElements: see above
                    <div key={cell.id} role="cell" className={`feature-cell column-${cell.column.id}`}>
                      <table.FlexRender cell={cell} />
                    </div>
                  ))
                )}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function HeadCell({
  id,
  sort,
  children,
}: {
  readonly id: string;
  readonly sort: FeatureSort;
  readonly children: ReactNode;
}) {
  const by = sortable[id];
  const isSorted = by !== undefined && sort.replace("-", "") === by;
  const isDescending = sort.startsWith("-");
  // Keys begin with the first; times and counts with the largest.
  const next = isSorted ? (isDescending ? by : `-${by}`) : by === "key" ? by : `-${by}`;
  return (
    // biome-ignore lint/a11y/useSemanticElements: rows are positioned, which a table does not allow
    // biome-ignore lint/a11y/useFocusableInteractive: its button is
    <div
      role="columnheader"
      className={`feature-cell column-${id}`}
      aria-sort={isSorted ? (isDescending ? "descending" : "ascending") : undefined}
    >
      {by === undefined ? (
        children
      ) : (
        <button type="button" onClick={() => setQuery({ sort: next === defaultSort ? undefined : next })}>
          {children}
          {isSorted && (isDescending ? <ArrowDown size={12} aria-hidden /> : <ArrowUp size={12} aria-hidden />)}
        </button>
      )}
    </div>
  );
}

function LoadingRows({ height, ids }: { readonly height: number; readonly ids: readonly string[] }) {
  return (
    <div role="presentation" className="feature-table-loading">
      {Array.from({ length: 12 }, (_, index) => index).map((index) => (
        // biome-ignore lint/a11y/useSemanticElements: rows are positioned, which a table does not allow
        // biome-ignore lint/a11y/useFocusableInteractive: nothing in it does anything
        <div
          key={index}
          role="row"
          className="feature-row"
          style={{ height, gridTemplateColumns: gridOf(ids), transform: `translateY(${index * height}px)` }}
        >
          <UnreadRow ids={ids} index={index} />
        </div>
      ))}
    </div>
  );
}

const UnreadRow = ({ ids, index }: { readonly ids: readonly string[]; readonly index: number }) =>
  ids.map((id, cell) => (
    // biome-ignore lint/a11y/useSemanticElements: rows are positioned, which a table does not allow
    <span key={id} role="cell" className="feature-unread">
      <Skeleton
        width={id === "select" ? 16 : `${(id === "key" ? 45 : 60) + ((index * 37 + cell * 23) % 40)}%`}
        height={id === "select" ? 16 : 12}
      />
      {id === "key" && <Skeleton width={`${60 + ((index * 53) % 40)}%`} height={9} />}
    </span>
  ));
