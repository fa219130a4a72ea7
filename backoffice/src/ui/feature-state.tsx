import "./feature-state.css";
import type { ReactNode } from "react";

/** The states of a feature, in order of precedence; the API computes them. */
export const states = ["killed", "unknown", "on", "on-for-some", "held", "scheduled", "off"] as const;
export type FeatureState = (typeof states)[number];

/** The name of each state. */
export const stateNames: Readonly<Record<FeatureState, string>> = {
  on: "On",
  "on-for-some": "On for some",
  scheduled: "Scheduled",
  off: "Off",
  held: "Held by gate",
  killed: "Killed",
  unknown: "Unknown",
};

const stroke = {
  fill: "none",
  stroke: "currentColor",
  strokeWidth: 1.6,
  strokeLinecap: "round",
  strokeLinejoin: "round",
} as const;
const ring = <circle cx="8" cy="8" r="6.2" {...stroke} />;

/** One shape for each state, so that colour is never the only signal. */
const shapes: Readonly<Record<FeatureState, ReactNode>> = {
  on: (
    <>
      <circle cx="8" cy="8" r="7" fill="currentColor" />
      <path d="M5 8.2l2 2 4-4.4" {...stroke} stroke="var(--surface)" strokeWidth="1.8" />
    </>
  ),
  "on-for-some": (
    <>
      {ring}
      <path d="M8 3.6a4.4 4.4 0 0 1 0 8.8z" fill="currentColor" />
    </>
  ),
  scheduled: (
    <>
      {ring}
      <path d="M8 4.6V8l2.2 1.6" {...stroke} />
    </>
  ),
  off: ring,
  held: (
    <>
      {ring}
      <path d="M6.3 5.6v4.8M9.7 5.6v4.8" {...stroke} />
    </>
  ),
  killed: (
    <>
      <path d="M5.3 1h5.4L15 5.3v5.4L10.7 15H5.3L1 10.7V5.3z" fill="currentColor" />
      <path d="M5.5 5.5l5 5M10.5 5.5l-5 5" {...stroke} stroke="var(--surface)" strokeWidth="1.8" />
    </>
  ),
  unknown: (
    <>
      <circle cx="8" cy="8" r="6.2" {...stroke} strokeDasharray="2.4 2.4" />
      <path d="M6.3 6.4c.1-1 .8-1.5 1.7-1.5 1 0 1.7.6 1.7 1.5 0 1.2-1.6 1.2-1.6 2.3M8 11.1v.1" {...stroke} />
    </>
  ),
};

export const StateIcon = ({ state, size = 14 }: { readonly state: FeatureState; readonly size?: number }) => (
  <svg className={`state-text-${state}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
    {shapes[state]}
  </svg>
);

/** The state of a feature: one word, one shape, one colour. */
export const StateBadge = ({
  state,
  text = stateNames[state],
  isLarge = false,
  isStale = false,
}: {
  readonly state: FeatureState;
  readonly text?: string;
  readonly isLarge?: boolean;
  /** The result comes from a cached value that may be outdated. */
  readonly isStale?: boolean;
}) => (
  <span className={`state state-${state} ${isLarge ? "large" : ""}`}>
    <StateIcon state={state} size={isLarge ? 16 : 14} />
    {text}
    {isStale && <span className="state-stale">stale</span>}
  </span>
);
