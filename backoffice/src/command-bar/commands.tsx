import { Activity, Keyboard, LogOut, Monitor, Moon, Sun, Undo2 } from "lucide-react";
import { navigate } from "../routing/location.ts";
import { pages } from "../shell/pages.tsx";
import { undoLast } from "../ui/toasts.tsx";
import type { Choice } from "./choice.ts";

/** What commands need of the page around them. */
export type CommandHost = {
  /** Commands that change something are for editors. */
  readonly isEditor: boolean;
  readonly setColorScheme: (scheme: "light" | "dark" | "auto") => void;
  readonly showShortcuts: () => void;
  readonly signOut: () => void;
};

/** The commands that need no argument. */
export const commands = ({ isEditor, setColorScheme, showShortcuts, signOut }: CommandHost): readonly Choice[] => [
  ...pages.map(({ first, name, Icon, link }) => ({
    id: `go-${first}`,
    icon: <Icon size={16} aria-hidden />,
    name: `Go to ${name}`,
    run: () => navigate(link()),
  })),
  ...(isEditor
    ? [{ id: "undo", icon: <Undo2 size={16} aria-hidden />, name: "Undo the last change", hint: "u", run: undoLast }]
    : []),
  { id: "light", icon: <Sun size={16} aria-hidden />, name: "Light colours", run: () => setColorScheme("light") },
  { id: "dark", icon: <Moon size={16} aria-hidden />, name: "Dark colours", run: () => setColorScheme("dark") },
  {
    id: "auto",
    icon: <Monitor size={16} aria-hidden />,
    name: "Colours as the system",
    run: () => setColorScheme("auto"),
  },
  {
    id: "shortcuts",
    icon: <Keyboard size={16} aria-hidden />,
    name: "Keyboard shortcuts",
    hint: "?",
    run: showShortcuts,
  },
  { id: "sign-out", icon: <LogOut size={16} aria-hidden />, name: "Sign out", run: signOut },
];

/** A command that looks for a text in the messages of events. */
export const eventsWith = (text: string, link: string): Choice => ({
  id: "events",
  icon: <Activity size={16} aria-hidden />,
  name: `Events with “${text}”`,
  hint: "Events",
  run: () => navigate(link),
});
