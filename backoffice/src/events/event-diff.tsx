import "./event-diff.css";
import { useQuery } from "@tanstack/react-query";
import { ErrorNote } from "../ui/error-note.tsx";
import { counted } from "../ui/numbers.ts";
import { Skeleton } from "../ui/skeleton.tsx";
import { type Event, eventQuery } from "./event-queries.ts";
import { dataOf, isOfCredential } from "./event-view.ts";

const maxMembers = 200;

/** What an event changed: members of a set that were added and removed, or both sides of a document. */
export function EventDiff({ event }: { readonly event: Event }) {
  const { type, added = [], removed = [], size } = dataOf(event);
  if (type === "set") return <SetDiff added={added} removed={removed} size={size} />;
  if (type === "document") return <BothSides event={event} />;
  return <Document title="Data" lines={linesOf(event.data)} sign=" " others={new Set()} />;
}

/** Both sides of a document. The log reads the side before only for one event. */
function BothSides({ event }: { readonly event: Event }) {
  const { data, error, isPending } = useQuery(eventQuery(event.id));
  const shown = (value: unknown) => (isOfCredential(event) ? withoutDigest(value) : value);
  if (isPending) return <Skeleton width={240} />;
  return (
    <>
      {error && <ErrorNote error={error} />}
      <DocumentDiff before={shown(data?.before)} after={shown(dataOf(event).value)} />
    </>
  );
}

function withoutDigest(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { digest: _, ...others } = value as Readonly<Record<string, unknown>>;
  return others;
}

export function SetDiff({
  added,
  removed,
  size,
}: {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly size?: number | undefined;
}) {
  const unchanged = size === undefined ? undefined : size - added.length;
  return (
    <div className="event-diff-side mono">
      <Members sign="+" members={added} />
      <Members sign="-" members={removed} />
      {unchanged !== undefined && unchanged > 0 && (
        <div className="event-diff-line dim">{counted(unchanged, "other member")} unchanged</div>
      )}
      {added.length + removed.length === 0 && !unchanged && <div className="event-diff-line dim">No member</div>}
    </div>
  );
}

const Members = ({ sign, members }: { readonly sign: "+" | "-"; readonly members: readonly string[] }) => (
  <>
    {members.slice(0, maxMembers).map((member) => (
      <DiffLine key={member} sign={sign} text={member} />
    ))}
    {members.length > maxMembers && (
      <div className="event-diff-line dim">and {counted(members.length - maxMembers, "more", "more")}</div>
    )}
  </>
);

/** Documents are compared by line: a document has few of them, and their order is stable. */
export function DocumentDiff({ before, after }: { readonly before: unknown; readonly after: unknown }) {
  const [old, now] = [linesOf(before), linesOf(after)];
  return (
    <div className="event-diff-sides">
      {before !== undefined && <Document title="Before" lines={old} sign="-" others={new Set(now)} />}
      <Document title="After" lines={now} sign="+" others={before === undefined ? new Set(now) : new Set(old)} />
    </div>
  );
}

const maxShort = { lines: 6, characters: 240 };

/** The lines of a document that changed, without its punctuation; nothing of a change that is too large for a summary. */
export function ShortDiff({ before, after }: { readonly before: unknown; readonly after: unknown }) {
  const [old, now] = [linesOf(before ?? {}), linesOf(after ?? {})];
  const lines = [
    ...old.filter((line) => !now.includes(line)).map((line) => ({ sign: "-" as const, text: plainLine(line) })),
    ...now.filter((line) => !old.includes(line)).map((line) => ({ sign: "+" as const, text: plainLine(line) })),
  ].filter(({ text }) => text !== "" && !(before === null && isUnset.test(text)));
  const length = lines.reduce((sum, { text }) => sum + text.length, 0);
  if (lines.length === 0 || lines.length > maxShort.lines || length > maxShort.characters) return null;
  return (
    <div className="event-diff-side mono">
      {lines.map(({ sign, text }) => (
        <DiffLine key={sign + text} sign={sign} text={text} />
      ))}
    </div>
  );
}

/** Members of a new document that nobody chose: empty ones, and the time of its creation in milliseconds. */
const isUnset = /^created: \d+$|^archived: false$|: (""|\[\])$/;

/** Such as "percentage: 25" of `  "percentage": 25,`. */
const plainLine = (line: string): string => line.replace(/^[\s{}[\]]+|,$/g, "").replace(/^"(\w+)":/, "$1:");

const Document = ({
  title,
  lines,
  sign,
  others,
}: {
  readonly title: string;
  readonly lines: readonly string[];
  readonly sign: "+" | "-" | " ";
  readonly others: ReadonlySet<string>;
}) => (
  <div className="event-diff-side">
    <div className="event-diff-title">{title}</div>
    <div className="mono event-diff-text">
      {lines.map((line, index) => (
        <DiffLine key={index} sign={others.has(line) ? " " : sign} text={line} />
      ))}
    </div>
  </div>
);

const names = { "+": "added", "-": "removed", " ": "" };

const DiffLine = ({ sign, text }: { readonly sign: "+" | "-" | " "; readonly text: string }) => (
  <div className={`event-diff-line ${names[sign]}`}>
    <span className="event-diff-sign" aria-hidden="true">
      {sign}
    </span>
    {names[sign] && <span className="for-screen-readers">{names[sign]} </span>}
    {text}
  </div>
);

function linesOf(value: unknown): readonly string[] {
  if (value === null || value === undefined) return ["nothing"];
  return JSON.stringify(value, null, 2).split("\n");
}
