import { ChevronDown, X } from "lucide-react";
import { killSwitchOf, useSources } from "../api/sources.ts";
import { setQuery } from "../routing/location.ts";
import { Menu } from "../ui/menu.tsx";
import { QuerySearch } from "../ui/query-search.tsx";
import { defaultDays, type EventFilters } from "./event-queries.ts";

const periods = [
  { days: "1", name: "Last 24 hours" },
  { days: "7", name: "Last 7 days" },
  { days: "30", name: "Last 30 days" },
  { days: "all", name: "All times" },
];
const kinds = [
  { type: undefined, name: "All kinds" },
  { type: "set", name: "Features of sets" },
  { type: "document", name: "Rules and descriptions" },
  { type: "token", name: "Tokens" },
  { type: "credential", name: "Credentials" },
];
/** The changes of one set, that of the kill switch. */
const kills = "Kills and undone kills";
type Tool = { readonly name: string; readonly via?: string; readonly origin?: string };
const tools: readonly Tool[] = [
  { name: "Made with anything" },
  { via: "page", name: "Made with the page" },
  { via: "api", name: "Made with the API" },
  { via: "cli", name: "Made with the CLI" },
  { origin: "external", name: "Edited outside" },
];

/** The filters of the list. They are in the URL. */
export function EventFilterBar({
  filters,
  authors,
}: {
  readonly filters: EventFilters;
  /** The authors of the loaded events. */
  readonly authors: readonly string[];
}) {
  const killKey = killSwitchOf(useSources() ?? [])?.key;
  const isKills = filters.key !== undefined && filters.key === killKey;
  const { by, type, origin, via, days = defaultDays, from, to } = filters;
  const period =
    from || to ? "Chosen times" : (periods.find((choice) => choice.days === days)?.name ?? `Last ${days} days`);
  const everyone = { name: "Everybody", isSelected: by === undefined, onChoose: () => setQuery({ by: undefined }) };
  const hasTool = (via ?? origin) !== undefined;
  const isTool = (choice: Tool) => choice.via === via && choice.origin === origin;
  return (
    <div className="row wrap events-filters">
      <QuerySearch label="Filter by message, feature or user" value={filters.q ?? ""} />
      <Menu
        className={menuClass(by !== undefined)}
        button={<Choice text={by ?? "Person"} />}
        items={[
          everyone,
          ...[...new Set(by === undefined ? authors : [by, ...authors])].map((author) => ({
            name: author,
            isSelected: author === by,
            onChoose: () => setQuery({ by: author }),
          })),
        ]}
      />
      <Menu
        className={menuClass(hasTool)}
        button={<Choice text={tools.find((choice) => hasTool && isTool(choice))?.name ?? "Made with"} />}
        items={tools.map((choice) => ({
          name: choice.name,
          isSelected: isTool(choice),
          onChoose: () => setQuery({ origin: choice.origin, via: choice.via }),
        }))}
      />
      <Menu
        className={menuClass(isKills || type !== undefined)}
        button={<Choice text={isKills ? kills : (kinds.find((kind) => type && kind.type === type)?.name ?? "Kind")} />}
        items={[
          ...kinds.map((kind) => ({
            name: kind.name,
            isSelected: !isKills && kind.type === type,
            onChoose: () => setQuery({ type: kind.type, ...(isKills && { key: undefined }) }),
          })),
          ...(killKey
            ? [{ name: kills, isSelected: isKills, onChoose: () => setQuery({ type: undefined, key: killKey }) }]
            : []),
        ]}
      />
      <Menu
        className={menuClass(true)}
        button={<Choice text={period} />}
        items={periods.map((choice) => ({
          name: choice.name,
          isSelected: !from && !to && choice.days === days,
          onChoose: () => setQuery({ days: choice.days, from: undefined, to: undefined }),
        }))}
      />
      {(["feature", "affecting", "component", "key"] as const).map(
        (name) =>
          filters[name] &&
          !(name === "key" && isKills) && (
            <button key={name} type="button" className="filter chosen" onClick={() => setQuery({ [name]: undefined })}>
              {name}: {filters[name]}
              <X size={14} aria-label="Remove this filter" />
            </button>
          ),
      )}
    </div>
  );
}

const menuClass = (isChosen: boolean): string => (isChosen ? "filter chosen" : "filter");

const Choice = ({ text }: { readonly text: string }) => (
  <>
    <span className="ellipsis">{text}</span>
    <ChevronDown size={14} aria-hidden />
  </>
);
