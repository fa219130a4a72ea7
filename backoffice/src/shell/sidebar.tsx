import { Search } from "lucide-react";
import { useSession } from "../api/session.ts";
import { useConnection } from "../live/connection.ts";
import { Link } from "../routing/link.tsx";
import { Dot } from "../ui/card.tsx";
import { count } from "../ui/numbers.ts";
import { AccountMenu } from "./account-menu.tsx";
import { Brand } from "./logo.tsx";
import { PageBadge } from "./page-badge.tsx";
import { pages } from "./pages.tsx";
import { SavedViews } from "./saved-views.tsx";
import { ThemeMenu } from "./theme-menu.tsx";

/** The navigation at the left of wide windows. */
export function Sidebar({ current, onSearch }: { readonly current: string; readonly onSearch: () => void }) {
  return (
    <aside className="sidebar" aria-label="Tidegate">
      <Brand environment={useSession()?.environment} />
      <button type="button" className="command-button" onClick={onSearch}>
        <Search size={15} aria-hidden />
        <span className="grow">Search or run…</span>
        <kbd>{/Mac/.test(navigator.userAgent) ? "⌘ K" : "Ctrl K"}</kbd>
      </button>
      <nav aria-label="Pages" className="sidebar-links">
        {pages.map(({ first, name, Icon, link }) => (
          <Link
            key={first}
            className="sidebar-link"
            href={link()}
            aria-current={first === current ? "page" : undefined}
          >
            <Icon size={16} aria-hidden />
            {name}
            <PageBadge page={first} />
          </Link>
        ))}
      </nav>
      <SavedViews />
      <div className="sidebar-end">
        <ConnectionState />
        <div className="row">
          <AccountMenu />
          <ThemeMenu />
        </div>
      </div>
    </aside>
  );
}

function ConnectionState() {
  const connection = useConnection();
  const texts = { connecting: "Connecting", live: "Live", lost: "Reconnecting" };
  const position = connection.is === "live" ? connection.position : undefined;
  return (
    <div className="connection-state" role="status">
      <Dot tone={connection.is === "live" ? "good" : "warn"} />
      <span>{texts[connection.is]}</span>
      {position !== undefined && (
        <span className="push num" aria-hidden="true">
          event {count(position)}
        </span>
      )}
    </div>
  );
}
