import { useId } from "react";

/** The share of a percentage rule, by a slider or in hundredths. Other members of the rule stay as they are. */
export function ShareField({
  rule,
  faults,
  onChange,
}: {
  readonly rule: unknown;
  /** The id of the list of faults, if it has some. */
  readonly faults: string | undefined;
  readonly onChange: (rule: Readonly<Record<string, unknown>>) => void;
}) {
  const id = useId();
  const { percentage = 0, ...others } = Object(rule) as Readonly<Record<string, unknown>>;
  const value = typeof percentage === "number" ? percentage : 0;
  const set = (next: number) => onChange({ percentage: next, ...others });
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
          value={value}
          onChange={({ currentTarget }) => set(currentTarget.valueAsNumber)}
        />
        <input
          id={id}
          type="number"
          className="input"
          min={0}
          max={100}
          step={0.01}
          aria-invalid={faults !== undefined}
          aria-describedby={faults}
          value={value}
          onChange={({ currentTarget }) => set(currentTarget.valueAsNumber || 0)}
        />
        <span>%</span>
      </div>
    </div>
  );
}
