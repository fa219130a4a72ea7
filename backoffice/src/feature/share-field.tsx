import { useId } from "react";

/** The share of a percentage rule, by a slider or in hundredths. Other members of the rule stay as they are. */
export function ShareField({
  rule,
  onChange,
}: {
  readonly rule: unknown;
  readonly onChange: (rule: Readonly<Record<string, unknown>>) => void;
}) {
  const id = useId();
  const { percentage = 0, ...others } = Object(rule) as Readonly<Record<string, unknown>>;
  const value = typeof percentage === "number" ? percentage : 0;
  const set = (next: number) =>
    onChange({ percentage: Math.round(Math.min(100, Math.max(0, next)) * 100) / 100, ...others });
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
          value={value}
          onChange={({ currentTarget }) => set(currentTarget.valueAsNumber || 0)}
        />
        <span>%</span>
      </div>
    </div>
  );
}
