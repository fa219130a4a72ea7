import { useQuery } from "@tanstack/react-query";
import { ChevronDown } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useShortcuts } from "../keyboard/shortcuts.ts";
import { setQuery } from "../routing/location.ts";
import { Button } from "../ui/button.tsx";
import { SearchField } from "../ui/field.tsx";
import { Menu } from "../ui/menu.tsx";
import { count } from "../ui/numbers.ts";
import { featureFacets } from "./feature-list.ts";
import { clearFilters, type FeatureFilters, hasFilters, unusedTimes } from "./filters.ts";

/** Time without a keystroke until the list is filtered, in milliseconds. */
const pauseMs = 120;

/** The filters of the list. All of them are in the URL. */
export function FilterBar({ filters, isNarrow }: { readonly filters: FeatureFilters; readonly isNarrow: boolean }) {
  const { data: facets } = useQuery(featureFacets);
  return (
    <div className="filter-bar">
      <Search value={filters.search ?? ""} isNarrow={isNarrow} />
      <Filter name="Owner" parameter="owner" value={filters.owner} values={facets?.owners} />
      <Filter name="Tag" parameter="tag" value={filters.tag} values={facets?.tags} />
      <Filter name="Source" parameter="source" value={filters.source} values={facets?.sources} />
      <Menu
        className={filters.unusedFor ? "filter set" : "filter"}
        button={
          <>
            {filters.unusedFor ? <b>{unusedText(filters.unusedFor)}</b> : "Evaluated"}
            <ChevronDown size={14} aria-hidden />
          </>
        }
        items={[undefined, ...unusedTimes].map((time) => ({
          name: time ? unusedText(time) : "At any time",
          isSelected: time === filters.unusedFor,
          onChoose: () => setQuery({ evaluated: time }),
        }))}
      />
      {hasFilters(filters) && (
        <Button look="ghost" isCompact onClick={clearFilters}>
          Clear filters
        </Button>
      )}
    </div>
  );
}

const unusedText = (time: string) => `Not for ${time.slice(0, -1)} days`;

function Search({ value, isNarrow }: { readonly value: string; readonly isNarrow: boolean }) {
  const [text, setText] = useState(value);
  const field = useRef<HTMLInputElement>(null);
  useShortcuts({ "/": () => field.current?.focus() });
  // The URL may change elsewhere, such as by "Clear filters".
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => setQuery({ q: text }), pauseMs);
    return () => clearTimeout(timer);
  }, [text, value]);
  return (
    <SearchField
      ref={field}
      label="Filter features"
      placeholder={isNarrow ? "Key, description, owner, tag" : "Filter by key, description, owner or tag"}
      shortcut="/"
      maxLength={200}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
    />
  );
}

function Filter({
  name,
  parameter,
  value,
  values = [],
}: {
  readonly name: string;
  readonly parameter: "owner" | "tag" | "source";
  readonly value: string | undefined;
  readonly values: readonly { readonly value: string; readonly features: number }[] | undefined;
}) {
  const choose = (chosen: string | undefined) => setQuery({ [parameter]: chosen });
  const any = { name: `Any ${name.toLowerCase()}`, isSelected: false, onChoose: () => choose(undefined) };
  return (
    <Menu
      className={value ? "filter set" : "filter"}
      button={
        <>
          {value ? (
            <>
              {name}: <b className="ellipsis">{value}</b>
            </>
          ) : (
            name
          )}
          <ChevronDown size={14} aria-hidden />
        </>
      }
      items={[
        ...(value ? [any] : []),
        ...values.map((each) => ({
          name: (
            <>
              <span className="grow">{each.value}</span>
              <span className="dim num">{count(each.features)}</span>
            </>
          ),
          isSelected: each.value === value,
          onChoose: () => choose(each.value),
        })),
        ...(values.length === 0 && !value ? [{ name: `None yet`, onChoose: () => {} }] : []),
      ]}
    />
  );
}
