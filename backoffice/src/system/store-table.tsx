import { Check, CircleAlert } from "lucide-react";
import { Card } from "../ui/card.tsx";
import { count, counted } from "../ui/numbers.ts";
import { ageText, percent } from "./figure-text.ts";
import type { System } from "./system-queries.ts";
import { TableRegion } from "./table-region.tsx";

type Store = System["stores"][number];
type Waiting = System["eventLog"]["waiting"][number];

const kinds = { redis: "Redis", sqlite: "SQLite", postgres: "PostgreSQL" } as const;

/** The stores and the event log: whether they answer and accept changes, and what waits for the log. */
export function StoreTable({ system: { stores, eventLog, at } }: { readonly system: System }) {
  const days = eventLog.retentionDays;
  return (
    <Card title="Stores" isPadded={false}>
      <TableRegion label="Stores">
        <thead>
          <tr>
            <th scope="col">Store</th>
            <th scope="col">State</th>
            <th scope="col">Cache</th>
            <th scope="col">Outbox</th>
          </tr>
        </thead>
        <tbody>
          {stores.map((store) => (
            <tr key={store.name}>
              <th scope="row">{`${store.name}, ${kinds[store.kind]}`}</th>
              <td>
                <StoreState store={store} />
              </td>
              <td className="dim num nowrap">{cacheText(store)}</td>
              <td className="dim num nowrap">
                {outboxText(
                  eventLog.waiting.find((each) => each.store === store.name),
                  at,
                )}
              </td>
            </tr>
          ))}
          <tr>
            <th scope="row">{`events, ${kinds[eventLog.kind]}`}</th>
            <td>
              <Answer isGood={eventLog.state === "answering"} text={eventLog.state} />
            </td>
            <td className="dim">{days === null ? "kept for ever" : `kept for ${counted(days, "day")}`}</td>
            <td className="dim num nowrap">{counted(eventLog.deadLetters, "dead letter")}</td>
          </tr>
        </tbody>
      </TableRegion>
    </Card>
  );
}

function StoreState({ store: { state, changes, synced, reason } }: { readonly store: Store }) {
  return (
    <div className="column">
      <Answer isGood={state === "answering"} text={state} />
      {changes === "refused" && <span className="tiny">refuses changes: {reason}</span>}
      {state === "answering" && synced === false && <span className="tiny">changes may reach caches late</span>}
    </div>
  );
}

const Answer = ({ isGood, text }: { readonly isGood: boolean; readonly text: string }) => (
  <span className={`row ${isGood ? "state-text-on" : "state-text-killed"}`}>
    {isGood ? <Check size={14} aria-hidden /> : <CircleAlert size={14} aria-hidden />}
    {text}
  </span>
);

function cacheText({ caches }: Store): string {
  const sum = (of: "keys" | "hits" | "misses" | "stale") => caches.reduce((total, cache) => total + cache[of], 0);
  const lookups = sum("hits") + sum("misses") + sum("stale");
  const keys = counted(sum("keys"), "key");
  return lookups === 0 ? keys : `${keys}, ${percent(sum("hits") / lookups)} hits`;
}

function outboxText(waiting: Waiting | undefined, at: string): string {
  if (!waiting) return "none";
  if (waiting.entries === null) return "unknown";
  return waiting.entries === 0
    ? "0 waiting"
    : `${count(waiting.entries)} waiting${waiting.oldest ? `, oldest ${ageText(at, waiting.oldest)}` : ""}`;
}
