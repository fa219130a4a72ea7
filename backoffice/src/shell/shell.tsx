import "./shell.css";
import { Search } from "lucide-react";
import { useEffect, useState } from "react";
import { useSession } from "../api/session.ts";
import { useShortcuts } from "../keyboard/shortcuts.ts";
import { LiveUpdates } from "../live/live-updates.tsx";
import { Link } from "../routing/link.tsx";
import { links } from "../routing/links.ts";
import { navigate, useLocation } from "../routing/location.ts";
import { IconButton } from "../ui/button.tsx";
import { ErrorBoundary } from "../ui/error-boundary.tsx";
import { onDemand } from "../ui/on-demand.tsx";
import { Toasts, undoLast } from "../ui/toasts.tsx";
import { AccountMenu } from "./account-menu.tsx";
import { ConnectionBar } from "./connection-bar.tsx";
import { Brand } from "./logo.tsx";
import { PageUpdate } from "./page-update.tsx";
import { PageAt, pages, titleAt } from "./pages.tsx";
import { Sidebar } from "./sidebar.tsx";

const CommandBar = onDemand(() => import("../command-bar/command-bar.tsx"));
const ShortcutHelp = onDemand(() => import("./shortcut-help.tsx"));

/** The frame of all pages: navigation, connection, command bar, toasts. */
export function Shell() {
  const { segments } = useLocation();
  const environment = useSession()?.environment;
  const [first = "features"] = segments;
  const [opened, setOpened] = useState<"commands" | "help">();

  useShortcuts({
    u: undoLast,
    "?": () => setOpened("help"),
    "g f": () => navigate(links.features()),
    "g p": () => navigate(links.people()),
    "g e": () => navigate(links.events()),
    "g s": () => navigate(links.system()),
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key !== "k") return;
      event.preventDefault();
      setOpened((now) => (now === "commands" ? undefined : "commands"));
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
  const title = titleAt(segments);
  useEffect(() => {
    document.title = title ? `${title} · Tidegate` : "Tidegate";
  }, [title]);

  const close = () => setOpened(undefined);
  return (
    <div className="shell">
      <button type="button" className="skip-link" onClick={() => document.getElementById("main")?.focus()}>
        Skip to content
      </button>
      <LiveUpdates />
      <header className="top-bar">
        <Brand environment={environment} />
        <span className="grow" />
        <IconButton label="Search or run a command" onClick={() => setOpened("commands")}>
          <Search size={19} aria-hidden />
        </IconButton>
        <AccountMenu isAvatarOnly />
      </header>
      <Sidebar current={first} onSearch={() => setOpened("commands")} />
      <main className="main" id="main" tabIndex={-1}>
        <ConnectionBar />
        <PageUpdate />
        <ErrorBoundary key={segments.join("/")}>
          <PageAt segments={segments} />
        </ErrorBoundary>
      </main>
      <nav className="tab-bar" aria-label="Pages">
        {pages.map(({ first: page, name: text, Icon, link }) => (
          <Link key={page} href={link()} aria-current={page === first ? "page" : undefined}>
            <Icon size={20} aria-hidden />
            {text}
          </Link>
        ))}
      </nav>
      {opened === "commands" && <CommandBar onClose={close} onShowShortcuts={() => setOpened("help")} />}
      {opened === "help" && <ShortcutHelp onClose={close} />}
      <Toasts />
    </div>
  );
}
