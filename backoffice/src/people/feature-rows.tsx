import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useSourcesByName } from "../api/sources.ts";
import { setQuery } from "../routing/location.ts";
import { Tag } from "../ui/card.tsx";
import { StateIcon } from "../ui/feature-state.tsx";
import { useIsNarrow } from "../ui/is-narrow.ts";
import type { SummarizedFeature } from "./person-queries.ts";
import { causeOf, stateOf } from "./why.ts";

const rowHeight = 52;
/** Rows before the end at which the next page is read. */
const nearEnd = 30;

/**
 * Features in rows, of which only those in view are in the page. The opened one is in the URL. The rows scroll in a region
 * of their own; in a narrow window, with the page.
 */
export function FeatureRows({
  features,
  openKey,
  detail,
  onEnd,
  actionOf,
}: {
  readonly features: readonly SummarizedFeature[];
  readonly openKey: string | undefined;
  /** Shown below the opened row. */
  readonly detail: ReactNode;
  /** Called when the last rows come into view. */
  readonly onEnd: () => void;
  readonly actionOf: (feature: string) => ReactNode;
}) {
  const region = useRef<HTMLDivElement>(null);
  const isNarrow = useIsNarrow();
  const sources = useSourcesByName();
  const page = () => region.current?.closest(".page") ?? null;
  const [scrollMargin, setScrollMargin] = useState(0);
  useLayoutEffect(() => {
    const topOf = (element: Element | null) => element?.getBoundingClientRect().top ?? 0;
    const below = topOf(region.current) - topOf(page()) + (page()?.scrollTop ?? 0);
    setScrollMargin(isNarrow ? Math.round(below) : 0);
  });
  const rows = useVirtualizer({
    count: features.length,
    getScrollElement: () => (isNarrow ? page() : region.current),
    scrollMargin,
    estimateSize: () => rowHeight,
    overscan: 8,
    getItemKey: (index) => features[index]?.feature ?? index,
  });
  const visible = rows.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  const atEnd = useRef(onEnd);
  atEnd.current = onEnd;
  useEffect(() => {
    if (last >= features.length - nearEnd) atEnd.current();
  }, [last, features]);
  return (
    <div className="feature-results-rows" ref={region}>
      <ul style={{ height: rows.getTotalSize() }}>
        {visible.map(({ index, key, start }) => {
          const feature = features[index];
          if (!feature) return null;
          const isOpen = feature.feature === openKey;
          return (
            <li
              key={key}
              ref={rows.measureElement}
              data-index={index}
              className={isOpen ? "open" : ""}
              style={{ transform: `translateY(${start - scrollMargin}px)` }}
            >
              <div className="feature-results-row">
                <button
                  type="button"
                  aria-expanded={isOpen}
                  onClick={() => setQuery({ f: isOpen ? undefined : feature.feature }, { isStep: true })}
                >
                  <StateIcon state={stateOf(feature, sources)} size={16} />
                  <span className="grow column">
                    <span className="strong ellipsis">{feature.feature}</span>
                    <span className="tiny dim ellipsis">{causeOf(feature, sources)}</span>
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

const Deciding = ({ feature: { decidedBy } }: { readonly feature: SummarizedFeature }) =>
  decidedBy[0] === undefined ? null : (
    <span className="wide-only">
      <Tag>{decidedBy[0]}</Tag>
    </span>
  );
