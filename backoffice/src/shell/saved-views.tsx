import { Bookmark, X } from "lucide-react";
import { useState, useSyncExternalStore } from "react";
import { viewParameters } from "../features/filters.ts";
import { Link } from "../routing/link.tsx";
import { links } from "../routing/links.ts";
import { useLocation } from "../routing/location.ts";

/** A view of the features page: a name for the query of its URL. Kept in this browser. */
type SavedView = { readonly name: string; readonly query: string };

const setting = "tidegate.views";
const changed = new EventTarget();
const defaults: readonly SavedView[] = [
  { name: "Killed now", query: "state=killed" },
  { name: "Not evaluated for 30 days", query: "evaluated=30d" },
];

let cached: { readonly text: string | null; readonly views: readonly SavedView[] } = { text: null, views: defaults };

function read(): readonly SavedView[] {
  const text = localStorage.getItem(setting);
  if (text !== cached.text) cached = { text, views: text === null ? defaults : JSON.parse(text) };
  return cached.views;
}

function write(views: readonly SavedView[]): void {
  localStorage.setItem(setting, JSON.stringify(views));
  changed.dispatchEvent(new Event("change"));
}

const useViews = (): readonly SavedView[] =>
  useSyncExternalStore((notify) => {
    changed.addEventListener("change", notify);
    return () => changed.removeEventListener("change", notify);
  }, read);

/** The part of a query that makes the view, in a fixed order. */
function viewOf(query: URLSearchParams): string {
  const values = viewParameters.flatMap((name) => {
    const value = query.get(name);
    return value ? [[name, value]] : [];
  });
  return new URLSearchParams(values).toString();
}

/** The saved views, and a way to save the filters that are set. */
export function SavedViews() {
  const views = useViews();
  const { segments, query } = useLocation();
  const [name, setName] = useState<string>();
  const isList = (segments[0] ?? "features") === "features" && segments.length < 2;
  const current = viewOf(query);
  const canSave = isList && current !== "" && !views.some((view) => view.query === current);
  return (
    <>
      <div className="sidebar-heading">Saved views</div>
      <nav aria-label="Saved views" className="sidebar-links">
        {views.map((view) => (
          <span className="saved-view" key={view.name}>
            <Link
              className="sidebar-link"
              href={links.features(Object.fromEntries(new URLSearchParams(view.query)))}
              aria-current={isList && view.query === current ? "page" : undefined}
            >
              <span className="ellipsis">{view.name}</span>
            </Link>
            <button
              type="button"
              aria-label={`Remove the view ${view.name}`}
              onClick={() => write(views.filter((other) => other !== view))}
            >
              <X size={13} aria-hidden />
            </button>
          </span>
        ))}
        {canSave && name === undefined && (
          <button type="button" className="sidebar-link" onClick={() => setName("")}>
            <Bookmark size={14} aria-hidden />
            Save this view
          </button>
        )}
        {canSave && name !== undefined && (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              const chosen = name.trim();
              if (chosen) write([...views.filter((view) => view.name !== chosen), { name: chosen, query: current }]);
              setName(undefined);
            }}
          >
            <input
              className="input"
              aria-label="Name of the view"
              placeholder="Name of the view"
              maxLength={40}
              value={name}
              ref={(input) => input?.focus()}
              onChange={(event) => setName(event.target.value)}
              onKeyDown={(event) => event.key === "Escape" && setName(undefined)}
            />
          </form>
        )}
      </nav>
    </>
  );
}
