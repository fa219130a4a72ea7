import { useQuery } from "@tanstack/react-query";
import { ChevronDown } from "lucide-react";
import { setQuery } from "../routing/location.ts";
import { Button } from "../ui/button.tsx";
import { Menu } from "../ui/menu.tsx";
import { count } from "../ui/numbers.ts";
import { QuerySearch } from "../ui/query-search.tsx";
import { featureFacets } from "./feature-list.ts";
import { clearFilters, type FeatureFilters, hasFilters, unusedTimes } from "./filters.ts";

/** The filters of the list. All of them are in the URL. */
export function FilterBar({ filters, isNarrow }: { readonly filters: FeatureFilters; readonly isNarrow: boolean }) {
  const { data: facets } = useQuery(featureFacets);
  return (
    <div className="filter-bar">
      <QuerySearch
        label="Filter features"
        placeholder={isNarrow ? "Key, description, owner, tag" : "Filter by key, description, owner or tag"}
        value={filters.search ?? ""}
      />
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
