import "./bulk.css";
import { useQueryClient } from "@tanstack/react-query";
import { Ban, Globe, Power, Tag, X } from "lucide-react";
import { useState } from "react";
import { everyoneSourceOf, killSwitchOf, type Source } from "../api/sources.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { useIsNarrow } from "../ui/is-narrow.ts";
import { Menu } from "../ui/menu.tsx";
import { count } from "../ui/numbers.ts";
import { reachText } from "./audience.ts";
import { type BulkDescription, type BulkItem, changeMany, describeMany } from "./bulk.ts";
import { BulkConfirm } from "./bulk-confirm.tsx";
import { BulkDescribe } from "./bulk-describe.tsx";
import type { EveryoneChange } from "./bulk-effect.ts";
import { BulkResult, type BulkRun } from "./bulk-result.tsx";
import { audienceOf } from "./feature-audience.ts";
import { type Feature, refreshFeature } from "./feature-list.ts";

/** The actions for the selected features. Each shows what happened to each feature. */
export default function BulkBar({
  selected,
  isAll,
  sources,
  onClear,
}: {
  readonly selected: readonly Feature[];
  readonly isAll: boolean;
  readonly sources: readonly Source[];
  readonly onClear: () => void;
}) {
  const client = useQueryClient();
  const isNarrow = useIsNarrow();
  const [run, setRun] = useState<BulkRun>();
  const [asking, setAsking] = useState<"describe" | { readonly change: EveryoneChange; readonly source: string }>();
  const [error, setError] = useState<unknown>();
  const everyone = everyoneSourceOf(sources)?.name;
  const killSwitch = killSwitchOf(sources)?.name;
  const killable = selected.filter(({ state }) => state !== "killed").map(({ feature }) => feature);

  const reread = async (changed: readonly BulkItem[]) => {
    if (changed.length > 20) await client.invalidateQueries({ queryKey: ["features", "list"] });
    else await Promise.all(changed.map(({ key }) => refreshFeature(client, key)));
  };
  /** Shows a result, on which the operator may act while the list is read again. */
  const settle = (next: BulkRun) => {
    setError(undefined);
    setAsking(undefined);
    setRun(next);
    reread(next.items.filter(({ outcome }) => outcome === "changed")).catch(setError);
  };
  const start = (work: Promise<BulkRun>) => work.then(settle, setError);

  const reach = new Map(selected.map((feature) => [feature.feature, reachText(audienceOf(feature, sources))]));
  const switchMany = async (
    source: string,
    keys: readonly string[],
    isOn: boolean,
    note: string,
  ): Promise<BulkRun> => ({
    name: `${isOn ? "On" : "Off"} for everyone`,
    items: await changeMany(
      keys,
      { source, isAdded: isOn, note },
      {
        changed: (key) => `${isOn ? "On" : "Off"} for everyone, was on for ${reach.get(key)}`,
        unchanged: `Already ${isOn ? "on" : "off"} for everyone`,
      },
    ),
    undo: (changed) =>
      changeMany(changed, { source, isAdded: !isOn }, { changed: () => "As before", unchanged: "As before" }),
    retry: (refused) => start(switchMany(source, refused, isOn, note)),
  });
  const killMany = async (source: string, keys: readonly string[], note: string): Promise<BulkRun> => ({
    name: "Kill",
    items: await changeMany(
      keys,
      { source, isAdded: true, note },
      {
        changed: (key) => `Off for everyone, was on for ${reach.get(key)}`,
        unchanged: "Killed already",
      },
    ),
    undo: (changed) =>
      changeMany(changed, { source, isAdded: false }, { changed: () => "Back as it was", unchanged: "As before" }),
    retry: (refused) => start(killMany(source, refused, note)),
  });
  const describe = async (keys: readonly string[], given: BulkDescription): Promise<BulkRun> => ({
    name: "Tags and owner",
    items: await describeMany(keys, given),
    retry: (refused) => start(describe(refused, given)),
  });

  const switching = everyone !== undefined && killable.length > 0;
  const actions = [
    ...(switching
      ? [
          {
            name: "On for everyone…",
            icon: <Globe size={14} aria-hidden />,
            onChoose: () => setAsking({ change: "on", source: everyone }),
          },
          {
            name: "Off for everyone…",
            icon: <Ban size={14} aria-hidden />,
            onChoose: () => setAsking({ change: "off", source: everyone }),
          },
        ]
      : []),
    { name: "Tags and owner", icon: <Tag size={14} aria-hidden />, onChoose: () => setAsking("describe") },
  ];

  return (
    <>
      <section className="bulk-bar" aria-label="Actions for the selection">
        <span className="small strong num bulk-bar-count" role="status">
          {isAll
            ? `All ${count(selected.length)}${isNarrow ? "" : " that match are"} selected`
            : `${count(selected.length)} selected`}
        </span>
        {isNarrow ? (
          <Menu className="button compact" button="More" items={actions} />
        ) : (
          actions.map(({ name, icon, onChoose }) => (
            <Button key={name} isCompact isChange onClick={onChoose}>
              {icon}
              {name}
            </Button>
          ))
        )}
        {killSwitch !== undefined && killable.length > 0 && (
          <Button
            isCompact
            look="danger-outline"
            isChange
            onClick={() => setAsking({ change: "kill", source: killSwitch })}
          >
            <Power size={14} aria-hidden />
            Kill {count(killable.length)}…
          </Button>
        )}
        <IconButton label="Clear selection" onClick={onClear}>
          <X size={16} aria-hidden />
        </IconButton>
        {error !== undefined && <ErrorNote error={error} />}
      </section>
      {typeof asking === "object" && (
        <BulkConfirm
          {...asking}
          features={selected}
          onConfirm={async (note) => {
            const { change, source } = asking;
            const text = change === "kill" ? "Killed already" : "Killed. Undo the kill first, then switch it.";
            const skipped = selected.flatMap(({ feature: key, state }): readonly BulkItem[] =>
              state === "killed" ? [{ key, outcome: "skipped", text }] : [],
            );
            const run = await (change === "kill"
              ? killMany(source, killable, note)
              : switchMany(source, killable, change === "on", note));
            settle({ ...run, items: [...skipped, ...run.items] });
          }}
          onClose={() => setAsking(undefined)}
        />
      )}
      {asking === "describe" && (
        <BulkDescribe
          features={selected}
          onDescribe={async (given) => {
            const keys = selected.map(({ feature }) => feature);
            settle(await describe(keys, given));
          }}
          onClose={() => setAsking(undefined)}
        />
      )}
      {run && (
        <BulkResult run={run} onUndone={(items) => settle({ name: "Undo", items })} onClose={() => setRun(undefined)} />
      )}
    </>
  );
}
