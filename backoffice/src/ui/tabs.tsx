import "./tabs.css";
import type { ReactNode } from "react";
import { count } from "./numbers.ts";

/** A row of tabs: choices of which one applies, each with its count. */
export function Tabs<Value extends string>({
  label,
  tabs,
  value,
  onChange,
}: {
  readonly label: string;
  readonly tabs: readonly {
    readonly value: Value;
    readonly name: ReactNode;
    readonly count?: number | string | undefined;
  }[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div className="tabs" role="group" aria-label={label}>
      {tabs.map((tab) => (
        <button
          key={tab.value}
          type="button"
          className="tab"
          aria-pressed={tab.value === value}
          onClick={() => onChange(tab.value)}
        >
          {tab.name}
          {tab.count !== undefined && (
            <span className="tab-count">{typeof tab.count === "number" ? count(tab.count) : tab.count}</span>
          )}
        </button>
      ))}
    </div>
  );
}

/** A few exclusive choices in one control, such as Now, At a moment, Compare. */
export function Segments<Value extends string>({
  label,
  segments,
  value,
  onChange,
}: {
  readonly label: string;
  readonly segments: readonly { readonly value: Value; readonly name: ReactNode; readonly icon?: ReactNode }[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div className="segments" role="group" aria-label={label}>
      {segments.map((segment) => (
        <button
          key={segment.value}
          type="button"
          aria-pressed={segment.value === value}
          onClick={() => onChange(segment.value)}
        >
          {segment.icon}
          {segment.name}
        </button>
      ))}
    </div>
  );
}
