import "./card.css";
import type { ReactNode } from "react";
import { Shortened } from "./shortened.tsx";

/** A section with a heading and, at its right, controls. */
export const Card = ({
  title,
  actions,
  children,
  isPadded = true,
}: {
  readonly title: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  /** Without padding, rows reach the border. */
  readonly isPadded?: boolean;
}) => (
  <section className="card">
    <header>
      <h2 className="grow">{typeof title === "string" ? <Shortened text={title} max={140} /> : title}</h2>
      {actions}
    </header>
    {isPadded ? <div className="card-body">{children}</div> : children}
  </section>
);

export const Chip = ({ icon, children }: { readonly icon?: ReactNode; readonly children: ReactNode }) => (
  <span className="chip num">
    {icon}
    {children}
  </span>
);

export const Tag = ({ children }: { readonly children: ReactNode }) => <span className="tag">{children}</span>;

/** A coloured dot beside a text that says the same. */
export const Dot = ({ tone = "good" }: { readonly tone?: "good" | "warn" | "bad" }) => (
  <span className={`dot ${tone}`} aria-hidden="true" />
);
