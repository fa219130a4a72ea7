import "./date-field.css";
import { CalendarDays, Clock } from "lucide-react";
import { type HTMLInputTypeAttribute, type ReactNode, useId, useRef, useState } from "react";
import { IconButton } from "./button.tsx";

/** What a field takes. Values are those of the native field: `2026-11-28`, `18:00`, `2026-11-28T18:00`. */
type DateKind = "date" | "time" | "date-time";

const examples: Readonly<Record<DateKind, string>> = {
  date: "2026-11-28",
  time: "18:00",
  "date-time": "2026-11-28 18:00",
};
const formats: Readonly<Record<DateKind, string>> = {
  date: "YYYY-MM-DD",
  time: "HH:MM",
  "date-time": "YYYY-MM-DD HH:MM",
};
const pickers: Readonly<Record<DateKind, HTMLInputTypeAttribute>> = {
  date: "date",
  time: "time",
  "date-time": "datetime-local",
};

/**
 * A labelled field for a day, a time of day, or both, written as in ISO 8601 in every language of the browser. A button
 * opens the native picker. Empty is a value unless `isRequired`, and what is no time changes nothing. When it is left, or
 * on Enter, a day without a time becomes its start, and what is no time is rejected.
 */
export function DateField({
  label,
  kind,
  value,
  isLabelHidden = false,
  isRequired = false,
  placeholder = formats[kind],
  error,
  onChange,
}: {
  readonly label: string;
  readonly kind: DateKind;
  readonly value: string;
  readonly isLabelHidden?: boolean;
  readonly isRequired?: boolean;
  readonly placeholder?: string | undefined;
  /** What is wrong with the value. */
  readonly error?: string | undefined;
  readonly onChange: (value: string) => void;
}): ReactNode {
  const id = useId();
  const picker = useRef<HTMLInputElement>(null);
  const given = valueIn(value, kind) ?? value;
  const [shown, setShown] = useState(given);
  const [text, setText] = useState(given.replace("T", " "));
  const [isLeft, setLeft] = useState(false);
  if (given !== shown) {
    setShown(given);
    // What is being typed stays as it was typed.
    if (given !== valueIn(text, kind)) setText(given.replace("T", " "));
  }
  const take = (typed: string) => {
    setText(typed);
    setLeft(false);
    const next = valueIn(typed, kind);
    if (next !== undefined && next !== given) onChange(next);
  };
  const isValid = isRequired ? Boolean(valueIn(text, kind)) : valueIn(text, kind) !== undefined;
  const fault = isLeft && !isValid ? `Write it as ${examples[kind]}.` : error;
  /** Returns whether the text is accepted. */
  const leave = (): boolean => {
    const day = kind === "date-time" && valueIn(text, "date");
    if (day) take(`${day} 00:00`);
    setLeft(true);
    return isValid || Boolean(day);
  };
  return (
    <div className="field">
      <label htmlFor={id} className={isLabelHidden ? "for-screen-readers" : undefined}>
        {label}
      </label>
      <div className={`date-field ${kind}`}>
        <input
          id={id}
          className="input num"
          autoComplete="off"
          spellCheck={false}
          placeholder={placeholder}
          aria-invalid={fault ? true : undefined}
          aria-describedby={fault ? `${id}-error` : undefined}
          value={text}
          onChange={({ currentTarget }) => take(currentTarget.value)}
          onBlur={leave}
          onKeyDown={(event) => {
            // A form is not sent with a value that the text does not show.
            if (event.key === "Enter" && !leave()) event.preventDefault();
          }}
        />
        <input
          ref={picker}
          type={pickers[kind]}
          className="date-field-picker"
          tabIndex={-1}
          aria-hidden
          value={valueIn(text, kind) ?? ""}
          onChange={({ currentTarget }) => take(currentTarget.value)}
        />
        <IconButton label={`Choose: ${label}`} onClick={() => picker.current?.showPicker()}>
          {kind === "time" ? <Clock size={15} aria-hidden /> : <CalendarDays size={15} aria-hidden />}
        </IconButton>
      </div>
      {fault && (
        <span id={`${id}-error`} role="alert" className="field-error">
          {fault}
        </span>
      )}
    </div>
  );
}

const form = /^(?:(\d{4}-\d\d-\d\d)(?:[T ]+|$))?(?:(\d\d?):(\d\d)(?::(\d\d))?)?$/;

/** The value of a text, without seconds that are zero; empty for nothing, and `undefined` if it is no such time. */
function valueIn(text: string, kind: DateKind): string | undefined {
  const given = text.trim();
  if (given === "") return "";
  const [match, day, hours, minutes, seconds = "00"] = form.exec(given) ?? [];
  const hasDay = kind !== "time";
  const hasTime = kind !== "date";
  if (match === undefined || hasDay !== (day !== undefined) || hasTime !== (hours !== undefined)) return undefined;
  const time = hasTime ? `${hours?.padStart(2, "0")}:${minutes}${seconds === "00" ? "" : `:${seconds}`}` : "";
  const instant = new Date(`${day ?? "2000-01-01"}T${time || "00:00"}Z`);
  // Days and times that do not exist are moved to others by the parser, or rejected.
  const exists = !Number.isNaN(instant.getTime()) && (!day || instant.toISOString().startsWith(day));
  return exists ? [day, time].filter(Boolean).join("T") : undefined;
}
