import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { CircleHelp, Power, RotateCcw, UserRound } from "lucide-react";
import { bodyOf, v1 } from "../api/client.ts";
import { useFeatureChanges } from "../features/changes.ts";
import { usersWith } from "../people/look-up.ts";
import { links } from "../routing/links.ts";
import { navigate } from "../routing/location.ts";
import { StateIcon } from "../ui/feature-state.tsx";
import { runUndo } from "../ui/toasts.tsx";
import type { Choice } from "./choice.ts";
import { type CommandHost, commands, eventsWith } from "./commands.tsx";

const maxFeatures = 6;

const matching = (search: string) =>
  queryOptions({
    queryKey: ["command-bar", search],
    queryFn: async () => (await bodyOf(v1.features.$get({ query: { search, limit: String(maxFeatures) } }))).features,
    enabled: search !== "",
    placeholderData: keepPreviousData,
  });

type Feature = NonNullable<Awaited<ReturnType<NonNullable<ReturnType<typeof matching>["queryFn"]>>>>[number];

/**
 * What can be chosen for a text: features and what can be done with the first of them, a user after `@`, a command after
 * `>`. `explain FEATURE @USER` leads to the reasons, and `undo FEATURE` ends its kill.
 */
export function useChoices(text: string, host: CommandHost): readonly Choice[] {
  const { isEditor } = host;
  const { undoKill } = useFeatureChanges();
  const given = text.trim();
  const isUser = given.startsWith("@");
  const [, verb, rest = ""] = /^>?\s*(kill|unkill|undo|explain)(?!\S)\s*(.*)$/i.exec(given) ?? [];
  const [wanted = "", user = ""] = (verb ? rest : given.replace(/^>/, "")).split("@").map((part) => part.trim());
  const isCommand = given.startsWith(">") && !verb;
  const features = useQuery(matching(isUser || isCommand ? "" : wanted)).data ?? [];

  const id = given.slice(1).trim();
  const users = useQuery(usersWith(isUser ? id : "")).data ?? [];

  if (given === "") return commands(host);
  if (isUser) return [...personChoices(id), ...users.filter(({ userId }) => userId !== id).flatMap(known)];
  const named = commands(host).filter(({ name }) => hasWords(name, given.replace(/^>/, "")));
  if (isCommand) return named;
  const doing = (act: string, feature: Feature) =>
    act === "explain" ? [explaining(feature, user)] : isEditor ? killing(act, feature, undoKill) : [];
  if (verb) return [...features.flatMap((feature) => doing(verb.toLowerCase(), feature)), ...named];
  return [
    ...features.map(open),
    ...features.slice(0, 1).flatMap((feature) => doing(feature.killed ? "undo" : "kill", feature)),
    ...named,
    ...personChoices(given),
    eventsWith(given, links.events({ q: given })),
  ];
}

const open = (feature: Feature): Choice => ({
  id: `open-${feature.feature}`,
  icon: <StateIcon state={feature.state} size={16} />,
  name: feature.feature,
  hint: feature.catalogue?.owner ?? "",
  run: () => navigate(links.feature(feature.feature)),
});

/** Whether each word of a text begins a word of a name. */
function hasWords(name: string, text: string): boolean {
  const words = name.toLowerCase().split(" ");
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((part) => words.some((word) => word.startsWith(part)));
}

const explaining = ({ feature }: Feature, user: string): Choice => ({
  id: `explain-${feature}`,
  icon: <CircleHelp size={16} aria-hidden />,
  name: `Explain ${feature}`,
  hint: user ? `for user ${user}` : "for a caller without a token",
  run: () => navigate(links.person(user || undefined, { f: feature })),
});

/** The kill of a feature, or the undo of its kill. A killed feature can only be let go, and another one only be killed. */
function killing(
  act: string,
  { feature, killed }: Feature,
  undoKill: (feature: string) => Promise<void>,
): readonly Choice[] {
  if (killed !== (act !== "kill")) return [];
  return [
    killed
      ? {
          id: `undo-${feature}`,
          icon: <RotateCcw size={16} aria-hidden />,
          name: `Undo the kill of ${feature}`,
          hint: "At once",
          run: () => runUndo(() => undoKill(feature)),
        }
      : {
          id: `kill-${feature}`,
          icon: <Power size={16} className="command-bar-kill" aria-hidden />,
          name: `Kill ${feature}`,
          hint: "Asks for confirmation",
          run: () => navigate(links.feature(feature, { kill: "1" })),
        },
  ];
}

const known = ({ userId }: { readonly userId: string }): readonly Choice[] =>
  personChoices(userId).map((choice) => ({ ...choice, id: `user-${userId}`, name: userId }));

const personChoices = (id: string): readonly Choice[] =>
  id === ""
    ? []
    : [
        {
          id: "person",
          icon: <UserRound size={16} aria-hidden />,
          name: `Look up user “${id}”`,
          hint: "People",
          run: () => navigate(links.person(id)),
        },
      ];
