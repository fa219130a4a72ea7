import "./windows-field.css";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import type { Problem } from "../api/problem.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { DateField } from "../ui/date-field.tsx";
import { Field } from "../ui/field.tsx";
import { zoneOfBrowser } from "./zones.ts";

type WindowFields = Readonly<Record<string, string | undefined>>;

const weekdays = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;
const dayNames = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;
const weekly = /^FREQ=WEEKLY;BYDAY=((?:MO|TU|WE|TH|FR|SA|SU)(?:,(?:MO|TU|WE|TH|FR|SA|SU))*)$/;

/** A new window: on Friday evenings, in the zone of the browser. */
export const newWindow = (): WindowFields => ({
  recurrence: "FREQ=WEEKLY;BYDAY=FR",
  from: "18:00",
  to: "23:00",
  timeZone: zoneOfBrowser(),
});

/** The windows of a schedule, each with its days, times and zone. Other members of the rule stay as they are. */
export function WindowsField({
  rule,
  faults,
  onChange,
}: {
  readonly rule: unknown;
  /** The faults of the rule. Those of windows are shown at their fields. */
  readonly faults: Problem["errors"];
  readonly onChange: (rule: object) => void;
}) {
  const { windows, ...others } = Object(rule) as { readonly windows?: readonly WindowFields[] };
  if (!Array.isArray(windows)) return null;
  const set = (next: readonly WindowFields[]) => onChange({ ...others, windows: next });
  return (
    <div className="stack windows-field">
      {windows.map((window, index) => (
        <WindowRow
          key={index}
          number={index + 1}
          window={Object(window)}
          faults={faultsAt(faults, index)}
          onChange={(next) => set(windows.with(index, next))}
          onRemove={windows.length > 1 ? () => set(windows.toSpliced(index, 1)) : undefined}
        />
      ))}
      <Button isCompact onClick={() => set([...windows, newWindow()])}>
        <Plus size={14} aria-hidden /> Add a window
      </Button>
      <datalist id="time-zones">
        {Intl.supportedValuesOf("timeZone").map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
    </div>
  );
}

/** Pointers to windows and their members, whose faults are shown at their fields. */
export const windowPointer = /^\/windows\/(\d+)(?:\/(\w+))?$/;

/** The faults of one window, by member; those of the whole window have an empty one. */
const faultsAt = (faults: Problem["errors"], index: number): ReadonlyMap<string, string> =>
  new Map(
    faults.flatMap(({ pointer, detail }) => {
      const [, number, member = ""] = windowPointer.exec(pointer) ?? [];
      return number === String(index) ? [[member, detail] as const] : [];
    }),
  );

type Mode = "once" | "daily" | "weekly" | "other";

function WindowRow({
  number,
  window,
  faults,
  onChange,
  onRemove,
}: {
  readonly number: number;
  readonly window: WindowFields;
  readonly faults: ReadonlyMap<string, string>;
  readonly onChange: (window: WindowFields) => void;
  readonly onRemove: (() => void) | undefined;
}) {
  const [isOther, setOther] = useState(false);
  const mode = modeOf(window, isOther);
  /** Changes a field of the window; an empty one is left out. */
  const set = (name: string, value: string) => {
    const { [name]: _, ...others } = window;
    onChange(value === "" ? others : { ...window, [name]: value });
  };
  // Faults without a field of their own are left for the end.
  const unplaced = new Map(faults);
  const faultOf = (name: string, label: string) => {
    unplaced.delete(name);
    return faults.has(name) ? `${label} ${faults.get(name)}.` : undefined;
  };
  const field = (name: string, label: string) => (
    <Field
      label={label}
      error={faultOf(name, label)}
      value={window[name] ?? ""}
      {...(name === "timeZone" && { list: "time-zones" })}
      onChange={({ currentTarget }) => set(name, currentTarget.value)}
    />
  );
  const dateField = (name: string, label: string, kind: "date" | "time" | "date-time") => (
    <DateField
      label={label}
      kind={kind}
      value={window[name] ?? ""}
      error={faultOf(name, label)}
      onChange={(value) => set(name, value)}
    />
  );
  /** Local times have a picker; an instant with an offset is edited as text. */
  const instantField = (name: string, label: string) =>
    hasOffset(window[name]) ? field(name, label) : dateField(name, label, "date-time");
  return (
    <fieldset className="window-row">
      <legend className="small strong">Window {number}</legend>
      <div className="row window-row-days">
        <select
          data-autofocus
          className="input"
          aria-label={`Days of window ${number}`}
          value={mode}
          onChange={({ currentTarget }) => {
            const next = currentTarget.value as Mode;
            setOther(next === "other");
            onChange(inMode(window, next));
          }}
        >
          <option value="daily">Every day</option>
          <option value="weekly">Every week</option>
          <option value="other">By a recurrence rule</option>
          <option value="once">Once</option>
        </select>
        {mode === "weekly" && (
          <Weekdays
            recurrence={window["recurrence"] ?? ""}
            onChange={(recurrence) => onChange({ ...window, recurrence })}
          />
        )}
        {onRemove && (
          <IconButton label={`Remove window ${number}`} className="push" onClick={onRemove}>
            <Trash2 size={15} aria-hidden />
          </IconButton>
        )}
      </div>
      {mode === "other" && field("recurrence", "Recurrence (RRULE)")}
      <div className={`window-row-fields ${mode}`}>
        {mode === "once" ? (
          <>
            {instantField("startsAt", "Starts")}
            {instantField("endsAt", "Ends")}
          </>
        ) : (
          <>
            {dateField("from", "From", "time")}
            {dateField("to", "To", "time")}
          </>
        )}
        {field("timeZone", "Time zone")}
        {mode !== "once" && (
          <>
            {dateField("startsOn", "First day", "date")}
            {dateField("endsOn", "Last day", "date")}
          </>
        )}
      </div>
      {[...unplaced].map(([name, detail]) => (
        <span key={name} role="alert" className="field-error">
          {name === "" ? `Window ${number}` : name} {detail}.
        </span>
      ))}
    </fieldset>
  );
}

function Weekdays({
  recurrence,
  onChange,
}: {
  readonly recurrence: string;
  readonly onChange: (recurrence: string) => void;
}) {
  const chosen = weekly.exec(recurrence)?.[1]?.split(",") ?? [];
  return (
    <span className="row weekdays">
      {weekdays.map((day, index) => (
        <label key={day} className="weekday">
          <input
            type="checkbox"
            checked={chosen.includes(day)}
            // A window has at least one day.
            disabled={chosen.length === 1 && chosen.includes(day)}
            onChange={({ currentTarget: { checked } }) => {
              const next = weekdays.filter((each) => (each === day ? checked : chosen.includes(each)));
              onChange(`FREQ=WEEKLY;BYDAY=${next.join(",")}`);
            }}
          />
          <span>{dayNames[index]}</span>
        </label>
      ))}
    </span>
  );
}

function modeOf({ recurrence }: WindowFields, isOther: boolean): Mode {
  if (recurrence === undefined && !isOther) return "once";
  if (isOther) return "other";
  if (recurrence === "FREQ=DAILY") return "daily";
  return weekly.test(recurrence ?? "") ? "weekly" : "other";
}

/** The window with the fields of another mode. Its zone stays. */
function inMode({ startsAt, endsAt, ...window }: WindowFields, mode: Mode): WindowFields {
  const {
    recurrence = "FREQ=MONTHLY;BYMONTHDAY=1",
    from = "18:00",
    to = "23:00",
    startsOn,
    timeZone,
    ...rest
  } = window;
  const zone = { timeZone: timeZone ?? zoneOfBrowser() };
  if (mode === "once") {
    const day = startsOn ?? new Date().toISOString().slice(0, 10);
    return { startsAt: startsAt ?? `${day}T${from}`, ...(endsAt !== undefined && { endsAt }), ...zone };
  }
  const rules = { daily: "FREQ=DAILY", weekly: "FREQ=WEEKLY;BYDAY=FR", other: recurrence };
  return { recurrence: rules[mode], from, to, ...(startsOn !== undefined && { startsOn }), ...rest, ...zone };
}

const hasOffset = (text = ""): boolean => /Z$|[+-]\d\d:\d\d$/.test(text);
