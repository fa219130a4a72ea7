import { useId } from "react";

/** The share of a percentage rule, by a slider or in hundredths. Other members of the rule stay as they are. */
export function ShareField({
  rule,
  error,
  onChange,
}: {
  readonly rule: unknown;
  readonly error: string | undefined;
  readonly onChange: (rule: Readonly<Record<string, unknown>>) => void;
}) {
  const id = useId();
  const { percentage, ...others } = Object(rule) as Readonly<Record<string, unknown>>;
  const value = typeof percentage === "number" ? percentage : undefined;
  /** An empty field is a rule without a share, which the API rejects. */
  const set = (next: number) => onChange(Number.isNaN(next) ? others : { percentage: next, ...others });
  return (
    <div className="field">
      <label htmlFor={id}>Share of callers</label>
      <div className="share-field">
        <input
          type="range"
          data-autofocus
          min={0}
          max={100}
          step={1}
          aria-label="Share of callers in percent"
          value={value ?? 0}
          onChange={({ currentTarget }) => set(currentTarget.valueAsNumber)}
        />
        <input
          id={id}
          type="number"
          className="input"
          min={0}
          max={100}
          step={0.01}
          aria-invalid={error !== undefined}
          aria-describedby={error && `${id}-error`}
          value={value ?? ""}
          onChange={({ currentTarget }) => set(currentTarget.valueAsNumber)}
        />
        <span>%</span>
      </div>
      {error && (
        <span id={`${id}-error`} role="alert" className="field-error">
          {error}
        </span>
      )}
    </div>
  );
}
