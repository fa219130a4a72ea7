import "./banner.css";
import { Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

/** A notice above the content: what is so, then its consequence, then the way out. */
export const Banner = ({
  tone,
  title,
  icon,
  children,
  action,
}: {
  readonly tone: "good" | "info" | "warn" | "bad";
  readonly title: ReactNode;
  readonly icon?: ReactNode;
  readonly children?: ReactNode;
  /** A link of class `banner-action`, or a button. */
  readonly action?: ReactNode;
}) => (
  <div className={`banner ${tone}`} role="status">
    {icon || (tone === "info" ? <Info size={16} aria-hidden /> : <TriangleAlert size={16} aria-hidden />)}
    <p>
      <b>{title}</b> <span>{children}</span>
    </p>
    {action}
  </div>
);
