import "./mode-bar.css";
import { ArrowRight, GitCompareArrows, History, MapPin, Plus, SlidersHorizontal, Zap } from "lucide-react";
import { Fragment, useEffect, useState } from "react";
import { personSegment } from "../routing/links.ts";
import { setQuery, useLocation } from "../routing/location.ts";
import { IconButton } from "../ui/button.tsx";
import { DateField } from "../ui/date-field.tsx";
import { useIsNarrow } from "../ui/is-narrow.ts";
import { Segments } from "../ui/tabs.tsx";
import { dayTime } from "../ui/time.tsx";
import { ContextDialog } from "./context-dialog.tsx";
import { otherContextIn, type PersonContext } from "./person-context.ts";
import { type StripSide, TimeStrip } from "./time-strip.tsx";

const modes = ["now", "at", "compare"] as const;
export type Mode = (typeof modes)[number];

export const modeIn = (query: URLSearchParams): Mode => modes.find((mode) => mode === query.get("mode")) ?? "now";

const dayMs = 86_400_000;
/** A moment as near to now is not compared with now. */
const aboutNowMs = 30_000;

/** Chooses the moment and the context: now, another moment, or a comparison of two. All of it is in the URL. */
export function ModeBar({ mode, context }: { readonly mode: Mode; readonly context: PersonContext }) {
  const { query } = useLocation();
  const isNarrow = useIsNarrow();
  const [isEditing, setEditing] = useState(false);
  const choose = (next: Mode) => {
    const at = query.get("at");
    const isOther = at !== null && !(next === "compare" && Math.abs(Date.now() - Date.parse(at)) < aboutNowMs);
    setQuery({
      mode: next === "now" ? undefined : next,
      at: next === "now" ? undefined : isOther ? at : dayAgo(),
      with: next === "compare" ? (query.get("with") ?? "@now") : undefined,
    });
  };
  const isComparison = mode === "compare";
  const isBare = isComparison && !query.has("at") && !query.has("with");
  // A link that names neither side compares with the day before.
  useEffect(() => {
    if (isBare) choose("compare");
  }, [isBare]);
  const other = otherContextIn(context, query);
  const [own, otherUser] = [context, other].map(({ user }) => personSegment(user));
  const chooseOther = (user: string | undefined, at: string | undefined) =>
    setQuery({ with: `${user === own ? "" : user}@${at ?? "now"}` });
  const chooseAt = (at: string | undefined) => setQuery({ at });
  const sides: readonly StripSide[] = isComparison
    ? [
        { label: "Moment A", letter: "A", context, onChoose: chooseAt },
        { label: "Moment B", letter: "B", context: other, onChoose: (at) => chooseOther(otherUser, at) },
      ]
    : [{ label: "Moment", letter: "", context, onChoose: chooseAt }];
  const fields = sides.map((side, index) => (
    <Fragment key={side.label}>
      {index > 0 && <ArrowRight size={15} className="dim" aria-hidden />}
      {side.letter && <b aria-hidden="true">{side.letter}</b>}
      {index > 0 && (
        <input
          key={otherUser}
          className="input mode-bar-user"
          aria-label="User B, or - for a caller without a token"
          title="User B, or - for a caller without a token"
          defaultValue={otherUser}
          onBlur={({ currentTarget }) => chooseOther(currentTarget.value.trim() || own, other.at)}
          onKeyDown={({ key, currentTarget }) => key === "Enter" && currentTarget.blur()}
        />
      )}
      <MomentField {...side} canBeNow={isComparison} />
    </Fragment>
  ));
  return (
    <div className="card mode-bar">
      <Segments
        label="Moment"
        value={mode}
        onChange={choose}
        segments={[
          { value: "now", name: "Now", icon: <Zap size={14} aria-hidden /> },
          { value: "at", name: "At a moment", icon: <History size={14} aria-hidden /> },
          { value: "compare", name: "Compare", icon: <GitCompareArrows size={14} aria-hidden /> },
        ]}
      />
      {mode !== "now" &&
        (isNarrow ? (
          <details className="mode-bar-moments">
            <summary>{momentsText(mode, context, other)}</summary>
            {fields}
          </details>
        ) : (
          fields
        ))}
      <div className="row wrap push mode-bar-context">
        <span className="tiny dim wide-only">Context</span>
        {context.location !== undefined && (
          <button type="button" className="chip" onClick={() => setEditing(true)}>
            <MapPin size={13} aria-hidden />
            location {context.location}
          </button>
        )}
        {Object.entries(context.attributes).map(([name, value]) => (
          <button key={name} type="button" className="chip" onClick={() => setEditing(true)}>
            <SlidersHorizontal size={13} aria-hidden />
            {name} {String(value)}
          </button>
        ))}
        <IconButton label="Change location and attributes" onClick={() => setEditing(true)}>
          <Plus size={16} aria-hidden />
        </IconButton>
      </div>
      {mode !== "now" && <TimeStrip sides={sides} />}
      {isEditing && <ContextDialog context={context} onClose={() => setEditing(false)} />}
    </div>
  );
}

/** The chosen moments, where their fields are folded. */
function momentsText(mode: Mode, first: PersonContext, other: PersonContext): string {
  const text = ({ at }: PersonContext) => (at === undefined ? "now" : dayTime(new Date(at)));
  if (mode === "at") return text(first);
  const who = other.user === first.user ? "" : `${other.user ?? "without a token"}, `;
  return `${text(first)} → ${who}${text(other)}`;
}

/** A field for a moment in the zone of the browser. Empty is now, where that is a moment to choose. */
const MomentField = ({ label, context: { at }, canBeNow, onChoose }: StripSide & { readonly canBeNow: boolean }) => (
  <div className="mode-bar-moment">
    <DateField
      label={label}
      isLabelHidden
      isRequired={!canBeNow}
      kind="date-time"
      placeholder={canBeNow ? "now" : undefined}
      value={at === undefined ? "" : localText(new Date(at))}
      onChange={(value) => {
        if (value !== "") onChoose(new Date(value).toISOString());
        else if (canBeNow) onChoose(undefined);
      }}
    />
  </div>
);

/** A moment as a date field takes it: local, without a zone. */
const localText = (at: Date): string =>
  new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);

const dayAgo = (): string => new Date(Math.floor((Date.now() - dayMs) / 60_000) * 60_000).toISOString();
